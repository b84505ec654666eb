# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The files around the emitted C++: its test bench. Nothing here reads or changes IR."""
