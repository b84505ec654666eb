# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The contracts between the stages: `verify-<stage>` passes, one per file, that check and change nothing."""
