# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Names from outside in C++: symbols that are emitted as they are, checked; layers' names in comments. Changes no IR.

The passes make identifiers; `resnet-translate` takes IR from anyone, whose symbols may be any text.
"""

from __future__ import annotations

import re

from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.cpp_names import RESERVED, reserved_for_models
from resnet_hls.errors import one_line
from resnet_hls.passes._registry import PassFailure

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
#: Attributes that are printed. The first one is taken as it is, of the others a name is made that is free.
_PRINTED = ("sym_name", "hls.name", "hls.label")


def check_names(module: ir.Operation, function: ir.Operation) -> None:
    """Whether what becomes a name in C++, and the function's a file's name, is one.

    Raises:
        PassFailure: it is not, or C++ or the emitted files need the name themselves.
    """
    for op in iu.walk(module):
        for key in _PRINTED:
            if key not in op.attributes:
                continue
            attribute = op.attributes[key]
            name = ir.StringAttr(attribute).value if isinstance(attribute, ir.StringAttr) else str(attribute)
            taken = reserved_for_models(name) if op == function else name in RESERVED
            if not _IDENTIFIER.fullmatch(name) or (key == "sym_name" and taken):
                what = "is taken in C++, Verilog, VHDL or the emitted files" if taken else "is no name in C++"
                raise PassFailure(op, f"{key} '{name}' {what}", help="take letters, digits and underscores")


def in_comment(text: str) -> str:
    """`text` for a comment behind `//`: one line of ASCII, at whose end nothing continues the comment on the next line,
    neither a backslash nor the trigraph that stands for one.
    """
    text = one_line(text).encode("ascii", "backslashreplace").decode()
    text = text.replace("*/", "* /").replace("/*", "/ *").replace("??/", "? ?/")
    return f"{text}." if text.endswith("\\") else text
