# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The reference for ONNX models: onnxruntime on the canonical QDQ form, without any graph optimization.

With power-of-two scales all of its float arithmetic is exact as long as accumulators stay below 2^24, so it gives the
model's integers, thousands of images a second.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from resnet_hls.errors import UserError
from resnet_hls.frontend.onnx_model import OnnxModel, load

Images = NDArray[np.float32]


class OnnxOracle:
    """Runs a model on batches of images.

    Args:
        model: path of an ONNX file (QONNX, QDQ or QCDQ), or a model that is loaded already.
        threads: how many batches run at a time, a thread each.
        batch: images in a batch; it bounds the memory.

    Raises:
        UserError: the model cannot be built, or onnxruntime is not installed.
    """

    def __init__(self, model: str | os.PathLike[str] | OnnxModel, *, threads: int = 2, batch: int = 32) -> None:
        self.model = model if isinstance(model, OnnxModel) else load(Path(model))
        self.batch = batch
        self.threads = threads
        proto = onnx.ModelProto()
        proto.CopyFrom(self.model.proto)
        for value in (proto.graph.input[0], proto.graph.output[0]):
            value.type.tensor_type.shape.dim[0].dim_param = "images"
        del proto.graph.value_info[:]
        self._session = _session(proto.SerializeToString())

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one image: (channels, height, width)."""
        return self.model.input_shape[1:]

    def run(self, images: Images) -> Images:
        """Logits of float32 images.

        Args:
            images: (N, channels, height, width), float32, as the model's input wants them (before its quantizer).

        Returns:
            (N, …), float32: the model's output, dequantized; the shape behind N is the model's own.

        Raises:
            UserError: wrong shape or dtype.
        """
        if images.dtype != np.float32 or images.shape[1:] != self.input_shape:
            given, wanted = ("x".join(map(str, sizes)) for sizes in (images.shape, ("N", *self.input_shape)))
            raise UserError(
                f"images are {images.dtype} of shape {given}, not float32 of shape {wanted}",
                help="convert them: channels first, one float per channel",
            )
        batches = [images[start : start + self.batch] for start in range(0, len(images), self.batch)]
        with ThreadPoolExecutor(self.threads) as pool:
            chunks = list(pool.map(self._run_batch, batches))
        shape = self.model.output_shape[1:]
        if not chunks:
            return np.empty((0, *shape), np.float32)
        return np.concatenate(chunks).reshape(len(images), *shape)

    def _run_batch(self, images: Images) -> Images:
        inputs = {self.model.input: np.ascontiguousarray(images)}
        result: Images = self._session.run([self.model.output], inputs)[0]
        return result


def _session(model: bytes) -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise UserError("onnxruntime is not installed", help="pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
