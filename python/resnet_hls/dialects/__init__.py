# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The project's MLIR dialects; `hls` here is a link to `dialects/hls` at the root of the repository."""
