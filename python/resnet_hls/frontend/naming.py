# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Names of accelerators: C++ identifiers that collide with nothing that the emitted files contain."""

from __future__ import annotations

import re

from resnet_hls.cpp_names import reserved_for_models
from resnet_hls.errors import UserError

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LONGEST = 48

_ENDINGS = (".onnx", ".qonnx", ".qcdq", ".qdq", ".quant", ".quantized")


def model_name(text: str, given: str | None = None) -> str:
    """A C++ identifier for an accelerator.

    Args:
        text: the model's own name, such as `resnet8.qonnx`; what no identifier may hold becomes an underscore.
        given: the name that the user asked for; it is taken as it is.

    Raises:
        UserError: the given name is no identifier, a keyword, or a name that the emitted files need.
    """
    if given is not None:
        if not _IDENTIFIER.fullmatch(given) or "__" in given or len(given) > _LONGEST:
            raise UserError(
                f"'{given}' is no name for an accelerator",
                help=f"take letters, digits and single underscores, a letter first, {_LONGEST} at most",
                status=2,
            )
        if reserved_for_models(given):
            raise UserError(
                f"the name '{given}' is taken in C++, Verilog, VHDL or the emitted files",
                help="choose another",
                status=2,
            )
        return given
    while (ending := next((e for e in _ENDINGS if text.lower().endswith(e)), None)) is not None:
        text = text[: -len(ending)]
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:_LONGEST].rstrip("_")
    if not name[:1].isalpha():
        name = f"network_{name}".rstrip("_")[:_LONGEST]
    return f"{name}_network" if reserved_for_models(name) else name
