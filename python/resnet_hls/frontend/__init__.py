# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From models to `linalg`: quantized ONNX (`onnx_import`), PyTorch (`torch_import`); `doctor` examines ONNX models."""
