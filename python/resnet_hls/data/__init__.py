# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Image data: CIFAR-10, and arrays of a user's own."""
