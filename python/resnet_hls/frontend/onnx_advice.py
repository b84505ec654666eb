# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What to do about an operation that cannot be built."""

SUPPORTED = (
    "Conv, Gemm, MatMul, Relu, Clip, Add, Concat, MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool, Flatten, "
    "Pad before a convolution, Quant, QuantizeLinear, DequantizeLinear"
)

_QDQ = "quantize with onnxruntime.quantization.quantize_static(…, quant_format=QuantFormat.QDQ)"
_ACTIVATION = "train with ReLU or ReLU6 instead"
_HOST = "cut it off: compute it on the host, from the accelerator's output"

_ADVICE = {
    "BatchNormalization": "fold it into the convolution before quantizing (Brevitas: merge_bn; onnxruntime: "
    "quantization.shape_inference.quant_pre_process; PyTorch: torch.nn.utils.fusion.fuse_conv_bn_eval)",
    "BipolarQuant": "use Quant with 2 bits or more; binary values have no zero",
    "Trunc": "replace it by AveragePool and a Quant with rounding_mode ROUND (Brevitas: AvgPool2d, then QuantIdentity, "
    "instead of TruncAvgPool2d)",
    "MultiThreshold": "take the QONNX model from before the conversion to FINN",
    "FloatQuant": "use integer quantizers (Quant)",
    "IntQuant": "export with the operator Quant",
    "DynamicQuantizeLinear": "quantize statically: quantize_static(…, quant_format=QuantFormat.QDQ)",
    "Softmax": _HOST,
    "LogSoftmax": _HOST,
    "ArgMax": _HOST,
    "TopK": _HOST,
    "Sub": "quantize after the normalization, and let the host normalize the images",
    "Mul": "fold the factor into a weight, or into a scale",
    "Div": "fold the divisor into a weight, or into a scale",
    "If": "simplify the model (onnxsim) so that no control flow is left",
    "Loop": "simplify the model (onnxsim) so that no control flow is left",
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearGlobalAveragePool", "QGemm"), _QDQ),
    **dict.fromkeys(("ConvInteger", "MatMulInteger"), _QDQ),
    **dict.fromkeys(
        ("Sigmoid", "Tanh", "LeakyRelu", "PRelu", "Elu", "Selu", "HardSwish", "HardSigmoid", "Gelu"), _ACTIVATION
    ),
}


def advice(op: str) -> str:
    """A way out for a model that holds `op`."""
    return _ADVICE.get(op, f"supported operations: {SUPPORTED}")
