# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Names that C++ or the emitted files need, so that no network, layer or stream may have them."""

from __future__ import annotations

import re
from collections.abc import Iterable

_KEYWORDS = """
alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t char16_t char32_t class compl
concept const const_cast consteval constexpr constinit continue co_await co_return co_yield decltype default delete do
double dynamic_cast else enum explicit export extern false final float for friend goto if import inline int long
module mutable namespace new noexcept not not_eq nullptr operator or or_eq override private protected public register
reinterpret_cast requires return short signed sizeof static static_assert static_cast struct switch template this
thread_local throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while xor
xor_eq
"""
# What C's library declares globally, in any header that the emitted files or the vendor's include; its macros.
_LIBRARY = """
abort abs assert close div eof errno exit free ldiv link main malloc null nullptr_t open printf ptrdiff_t rand read
remove rename select signal size_t srand stderr stdin stdout system time va_list wint_t write y0 y1 yn j0 j1 jn gamma
index int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t intptr_t uintptr_t intmax_t uintmax_t
max_align_t int_fast8_t int_fast16_t int_fast32_t int_fast64_t int_least8_t int_least16_t int_least32_t int_least64_t
linux unix
"""
_EMITTED = """
ap_axiu ap_axi_sdata ap_fixed ap_int ap_int_base ap_range_ref ap_ufixed ap_uint ap_wait frames hls hls_stream
input input_axis_t io load_weights output output_axis_t read_input resnet_hls std stream weights
weights_axis_t word words write_output
"""
#: Files that the project has beside those of the network, and C headers that `NAME.h` would hide.
_FILES = """
tasks weights testbench bounded_top complex ctype fenv inttypes iso646 limits locale math memory setjmp stdarg stdbool
stddef stdint stdio stdlib string strings tgmath uchar wchar wctype
"""
#: Taken for anything in the emitted C++.
RESERVED = frozenset(re.findall(r"\w+", _KEYWORDS + _LIBRARY + _EMITTED))
#: Taken for the top function, whose name is a file's name, too.
RESERVED_FOR_MODELS = RESERVED | frozenset(re.findall(r"\w+", _FILES))


class Names:
    """Hands out identifiers, each once, and none that is reserved or taken."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*RESERVED, *taken}

    def unique(self, wanted: str) -> str:
        """`wanted`, with a number behind it where it is taken."""
        name, number = wanted, 1
        while name in self._taken:
            name, number = f"{wanted}_{number}", number + 1
        self._taken.add(name)
        return name
