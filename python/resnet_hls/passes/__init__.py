# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The passes, one per file, and what registers, names and runs them.

Importing this package imports no pass: the registry finds the file of a pass from its name when pipeline text asks for
it.
"""

from resnet_hls.passes._manager import Hook, PassManager
from resnet_hls.passes._registry import Pass, PassFailure, Remark, option, register_pass, remark

__all__ = ["Hook", "Pass", "PassFailure", "PassManager", "Remark", "option", "register_pass", "remark"]
