# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Names of accelerators: C++ identifiers that collide with nothing that the emitted files contain."""

from __future__ import annotations

import re

from resnet_hls.errors import UserError

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LONGEST = 48

_KEYWORDS = frozenset(
    re.findall(
        r"\w+",
        """alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const const_cast
        constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern false float
        for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq private
        protected public register reinterpret_cast return short signed sizeof static static_assert static_cast struct
        switch template this thread_local throw true try typedef typeid typename union unsigned using virtual void
        volatile wchar_t while xor xor_eq""",
    )
)
# Files and names beside the top function; what C's library declares globally; C's headers, which NAME.h would hide.
_TAKEN = frozenset(
    re.findall(
        r"\w+",
        """tasks weights testbench bounded_top main input output std hls resnet_hls input_axis_t output_axis_t ap_int
        ap_uint ap_axiu ap_axi_sdata hls_stream word words read_input write_output printf malloc free exit abort read
        write open close select link remove rename assert complex ctype errno fenv inttypes iso646 limits locale math
        memory setjmp signal stdarg stdbool stddef stdint stdio stdlib string strings tgmath time uchar wchar wctype""",
    )
)
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
        if given in _KEYWORDS | _TAKEN:
            raise UserError(
                f"the name '{given}' is taken in C++ or in the emitted files", help="choose another", status=2
            )
        return given
    while (ending := next((e for e in _ENDINGS if text.lower().endswith(e)), None)) is not None:
        text = text[: -len(ending)]
    name = re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")[:_LONGEST].rstrip("_")
    if not name[:1].isalpha():
        name = f"network_{name}".rstrip("_")[:_LONGEST]
    return f"{name}_network" if name in _KEYWORDS | _TAKEN else name
