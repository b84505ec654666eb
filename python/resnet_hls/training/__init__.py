# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Training of the bundled networks: in float, then in the integer arithmetic that the compiler builds.

`command.py` is what `resnet-hls train` does. Nothing here chooses by a test image. Importing the package is cheap; its
modules import PyTorch.
"""
