# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""resnet-hls: an MLIR compiler from quantized residual networks to dataflow accelerators on AMD FPGAs.

`import resnet_hls` is cheap: nothing of MLIR, ONNX or PyTorch is imported before one of the names below is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnet_hls.driver import compile as compile
    from resnet_hls.errors import UserError as UserError
    from resnet_hls.passes import Pass as Pass
    from resnet_hls.passes import PassFailure as PassFailure
    from resnet_hls.passes import PassManager as PassManager
    from resnet_hls.passes import option as option
    from resnet_hls.passes import register_pass as register_pass
    from resnet_hls.passes import remark as remark

__version__ = "0.1.0"

_EXPORTS = {
    "compile": "resnet_hls.driver",
    "UserError": "resnet_hls.errors",
    "Pass": "resnet_hls.passes",
    "PassFailure": "resnet_hls.passes",
    "PassManager": "resnet_hls.passes",
    "option": "resnet_hls.passes",
    "register_pass": "resnet_hls.passes",
    "remark": "resnet_hls.passes",
}

__all__ = [
    "Pass", "PassFailure", "PassManager", "UserError", "__version__", "compile", "option", "register_pass", "remark",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
