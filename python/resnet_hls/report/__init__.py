# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The figures of an accelerator: `model` takes them from the IR, `text` prints them."""
