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
# The top function becomes a module and an entity: what IEEE 1800-2017 (SystemVerilog) and 1076-2008 (VHDL) keep.
_HDL = """
abs accept_on access across after alias all always always_comb always_ff always_latch and architecture array assert
assign assume assume_guarantee attribute automatic before begin bind bins binsof bit block body buf buffer bufif0
bufif1 bus byte case casex casez cell chandle checker clocking cmos component config configuration constant constraint
context cover covergroup coverpoint cross deassign default defparam design disable disconnect dist downto edge else
elsif end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule
endpackage endprimitive endprogram endproperty endsequence endspecify endtable endtask entity event eventually exit
expect extends fairness file final first_match for force foreach forever fork forkjoin function generate generic genvar
global group guarded highz0 highz1 if iff ifnone ignore_bins illegal_bins implements implies impure in incdir include
inertial initial inout inside instance integer interconnect interface intersect is join join_any join_none label large
let liblist library linkage literal local localparam logic longint loop macromodule map matches medium mod modport nand
negedge nettype new next nexttime nmos nor noshowcancelled not notif0 notif1 null of on open or others out package
packed parameter pmos port posedge postponed primitive priority procedure process program property protected pull0
pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase randsequence range rcmos real
realtime record ref reg register reject reject_on release rem repeat report restrict restrict_guarantee return rnmos
rol ror rpmos rtran rtranif0 rtranif1 s_always s_eventually s_nexttime s_until s_until_with scalared select sequence
severity shared shortint shortreal showcancelled signal sla sll small soft solve specify specparam sra srl string
strong strong0 strong1 subtype super supply0 supply1 sync_accept_on sync_reject_on table tagged task then throughout
time timeprecision timeunit to tran tranif0 tranif1 transport tri tri0 tri1 triand trior trireg type unaffected unique
unique0 units unresolved until until_with untyped use uwire var variable vectored virtual vmode vpkg vprop vunit wait
wait_order wand weak weak0 weak1 when while wildcard wire with within wor xnor xor
"""
#: Taken for anything in the emitted C++.
RESERVED = frozenset(re.findall(r"\w+", _KEYWORDS + _LIBRARY + _EMITTED))
_RESERVED_FOR_MODELS = RESERVED | frozenset(re.findall(r"\w+", _FILES))
_RESERVED_IN_ANY_CASE = frozenset(re.findall(r"\w+", _HDL))


def reserved_for_models(name: str) -> bool:
    """Whether no top function may be called `name`, which is a file's, a module's and an entity's name, too."""
    return name in _RESERVED_FOR_MODELS or name.lower() in _RESERVED_IN_ANY_CASE  # VHDL knows no case


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
