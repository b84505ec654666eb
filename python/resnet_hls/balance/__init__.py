# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Unroll factors: how a task may be built (`variants`), what that costs (`pricing`), which to take (`program`)."""
