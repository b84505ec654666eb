# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small pieces of an accelerator in Verilog, each beside what the resource model says about it.

A kernel is one structure that `resnet_hls.analysis.costs` prices, without registers at its ports, so that what a
synthesizer counts is that structure alone. Contents of memories are random with a fixed seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from resnet_hls.analysis import costs
from resnet_hls.analysis.costs import Resources

#: Percent by which LUTs and registers of the model may differ from what is counted, by structure; eight are always
#: allowed. Of some only the LUTs are compared (None: not even these), see the table.
STATED_ERROR: dict[str, int | None] = {
    "product in LUTs": 30,
    "adder tree, two at a time": 10,
    "requantization": 40,
    "ROM in LUTs": 10,
    "memory in LUTs": 10,
    "block RAM": 0,
    "URAM": 0,
    "shift register": 10,
    "FIFO": 25,
    "cascade of slices": 10,
    "choice of registers": 10,
    "registers by address": 10,
    "padding": 10,
    "loop counters": 25,
    "product in DSP slices": None,
}
#: Registers of these depend on which of them a tool puts into shift registers and slices.
ONLY_LUTS = ("shift register", "cascade of slices")


@dataclass(frozen=True)
class Kernel:
    """A module `top`, and the model's figures for it.

    Args:
        name: unique.
        structure: the row of the table to which it belongs.
        verilog: the text.
        modelled: its resources on a family.
        options: for `synth_xilinx`.
    """

    name: str
    structure: str
    verilog: str
    modelled: Callable[[str], Resources]
    options: str = ""

    @property
    def families(self) -> tuple[str, ...]:
        """Those that have what the kernel is made of."""
        only_new = self.structure in {"URAM", "cascade of slices"}
        return tuple(f for f in costs.FAMILIES if f == "ultrascale+" or not only_new)


def kernels() -> list[Kernel]:
    """All kernels, in the order of the table."""
    return [
        *products(),
        *trees(),
        *requantizers(),
        *roms(),
        *memories(),
        *shift_registers(),
        *fifos(),
        *cascades(),
        *choices(),
        *guards(),
        *counters(),
        *slices(),
    ]


def module(ports: str, body: str) -> str:
    return f"module top({ports});\n{body}\nendmodule\n"


def products() -> Iterator[Kernel]:
    for left, right in ((8, 8), (4, 8), (4, 4), (8, 16), (16, 16)):
        ports = f"input signed [{left - 1}:0] a, input signed [{right - 1}:0] b, output signed [{left + right - 1}:0] y"
        text = module(ports, "assign y = a * b;")
        yield Kernel(
            f"multiply_{left}x{right}",
            "product in LUTs",
            text,
            lambda _, a=left, b=right: costs.fabric_product(a, b),
            "-nodsp",
        )


def trees() -> Iterator[Kernel]:
    for count, bits in ((2, 16), (3, 16), (4, 16), (9, 16), (16, 16), (27, 16), (72, 16), (16, 8), (16, 20)):
        out = bits + (count - 1).bit_length()
        terms = " + ".join(f"a{n}" for n in range(count))
        words = "".join(f"wire signed [{bits - 1}:0] a{n} = a[{n * bits} +: {bits}];\n" for n in range(count))
        text = module(
            f"input [{count * bits - 1}:0] a, output signed [{out - 1}:0] y", f"{words}assign y = {balanced(terms)};"
        )
        yield Kernel(
            f"sum_{count}x{bits}",
            "adder tree, two at a time",
            text,
            lambda _, n=count, b=bits: costs.adder_tree(n, b, ways=2),
        )


def balanced(terms: str) -> str:
    """A sum in brackets, so that neighbours are added first."""
    found = terms.split(" + ")
    while len(found) > 1:
        pairs = [found[n : n + 2] for n in range(0, len(found), 2)]
        found = [f"({' + '.join(pair)})" if len(pair) > 1 else pair[0] for pair in pairs]
    return found[0]


def requantizers() -> Iterator[Kernel]:
    for bits, shift in ((32, 8), (24, 7), (20, 6), (18, 5)):
        body = f"""
wire signed [{bits - 1}:0] r = x + $signed({bits}'d{(1 << (shift - 1)) - 1}) + $signed({{1'b0, x[{shift}]}});
wire signed [{bits - 1}:0] s = r >>> {shift};
assign y = s < -128 ? -8'sd128 : s > 127 ? 8'sd127 : s[7:0];"""
        yield Kernel(
            f"requantize_{bits}_shift_{shift}",
            "requantization",
            module(f"input signed [{bits - 1}:0] x, output signed [7:0] y", body),
            lambda _, b=bits, s=shift: costs.adder(b) + costs.adder(b) + costs.clamp(b - s, 8),
        )


def roms() -> Iterator[Kernel]:
    rng = random.Random(5)
    for depth, bits in ((4, 576), (8, 576), (16, 576), (32, 144), (64, 144), (128, 72), (256, 36), (51, 144)):
        address = (depth - 1).bit_length()
        words = "".join(f"{n}: y = {bits}'h{rng.getrandbits(bits):x};\n" for n in range(depth))
        body = f"always @* case (a)\n{words}default: y = {bits}'bx;\nendcase"
        yield Kernel(
            f"rom_{depth}x{bits}",
            "ROM in LUTs",
            module(f"input [{address - 1}:0] a, output reg [{bits - 1}:0] y", body),
            lambda f, d=depth, b=bits: costs.rom(d, b, "rom_lutram", f),
        )


def memories() -> Iterator[Kernel]:
    for depth, bits, storage in (
        (32, 64, "lutram"),
        (64, 64, "lutram"),
        (128, 64, "lutram"),
        (64, 8, "lutram"),
        (512, 72, "bram"),
        (1024, 64, "bram"),
        (2048, 144, "bram"),
        (4096, 72, "uram"),
    ):
        address = (depth - 1).bit_length()
        style = {"lutram": "distributed", "bram": "block", "uram": "ultra"}[storage]
        ports = (
            f"input clk, input we, input [{address - 1}:0] wa, ra, input [{bits - 1}:0] d, output reg [{bits - 1}:0] y"
        )
        body = (
            f'(* ram_style = "{style}" *) reg [{bits - 1}:0] m [0:{depth - 1}];\n'
            "always @(posedge clk) begin if (we) m[wa] <= d; y <= m[ra]; end"
        )
        yield Kernel(
            f"{storage}_{depth}x{bits}",
            {"lutram": "memory in LUTs", "bram": "block RAM", "uram": "URAM"}[storage],
            module(ports, body),
            lambda f, d=depth, b=bits, s=storage: costs.memory(d, b, s, f) + costs.registers(b if s == "lutram" else 0),
        )


def shift_registers() -> Iterator[Kernel]:
    for depth, bits in ((3, 64), (16, 64), (32, 64), (64, 64)):
        ports = f"input clk, input ce, input [{bits - 1}:0] d, output [{bits - 1}:0] y"
        body = (
            f"reg [{bits - 1}:0] s [0:{depth - 1}];\ninteger i;\nalways @(posedge clk) if (ce) begin s[0] <= d;"
            f" for (i = 1; i < {depth}; i = i + 1) s[i] <= s[i - 1]; end\nassign y = s[{depth - 1}];"
        )
        yield Kernel(
            f"delay_{depth}x{bits}",
            "shift register",
            module(ports, body),
            lambda _, d=depth, b=bits: costs.shift_register(d, b),
        )


def fifos() -> Iterator[Kernel]:
    for depth, bits, storage in (
        (2, 64, "srl"),
        (16, 64, "srl"),
        (32, 64, "srl"),
        (64, 64, "lutram"),
        (1024, 36, "bram"),
    ):
        pointer = (depth - 1).bit_length()
        ports = (
            f"input clk, reset, read, write, input [{bits - 1}:0] d, output {'' if storage == 'srl' else 'reg '}"
            f"[{bits - 1}:0] y, output reg empty, full"
        )
        flags = f"""
reg [{pointer}:0] count;
wire push = write & ~full, pop = read & ~empty;
always @(posedge clk) if (reset) begin count <= 0; empty <= 1; full <= 0; end else if (push ^ pop) begin
count <= push ? count + 1 : count - 1; empty <= ~push & count == 1; full <= push & count == {depth - 1}; end"""
        if storage == "srl":
            words = "".join(
                f"reg [{depth - 1}:0] m{n}; always @(posedge clk) if (push) m{n} <= {{m{n}, d[{n}]}};"
                f" assign y[{n}] = m{n}[last];\n"
                for n in range(bits)
            )
            body = f"""{flags}
reg [{pointer - 1}:0] last;
always @(posedge clk) begin
if (reset) last <= {{{pointer}{{1'b1}}}};
else if (push & ~pop) last <= last + 1; else if (pop & ~push) last <= last - 1;
end
{words}"""
        else:
            style = "distributed" if storage == "lutram" else "block"
            body = f"""{flags}
(* ram_style = "{style}" *) reg [{bits - 1}:0] m [0:{depth - 1}];
reg [{pointer - 1}:0] to, from;
wire [{pointer - 1}:0] next = pop ? from + 1 : from;
always @(posedge clk) begin
if (reset) begin to <= 0; from <= 0; end else begin if (push) to <= to + 1; from <= next; end
if (push) m[to] <= d; y <= m[next]; end"""
        yield Kernel(
            f"fifo_{storage}_{depth}x{bits}",
            "FIFO",
            module(ports, body),
            lambda f, d=depth, b=bits, s=storage: costs.fifo(d, b, s, f),
        )


def cascades() -> Iterator[Kernel]:
    """Operands of a chain of slices, each link's a cycle later than the last's; the slices are instances."""
    for links in (4, 7):
        body = ""
        for n in range(links):
            body += f"wire [47:0] p{n}; reg [23:0] r{n}_0;\n"
            for cycle in range(1, n + 1):
                body += f"reg [23:0] r{n}_{cycle}; always @(posedge clk) r{n}_{cycle} <= r{n}_{cycle - 1};\n"
            body += f"always @* r{n}_0 = d[{24 * n} +: 24];\n"
            operands = f".A({{22'b0, r{n}_{n}[7:0]}}), .D({{19'b0, r{n}_{n}[15:8]}}), .B({{10'b0, r{n}_{n}[23:16]}})"
            before = f", .PCIN(p{n - 1})" if n else ""
            after = f", .PCOUT(p{n})" if n < links - 1 else ", .P(y)"
            body += f"DSP48E2 s{n} (.CLK(clk), {operands}{before}{after});\n"
        ports = f"input clk, input [{24 * links - 1}:0] d, output [47:0] y"
        yield Kernel(
            f"cascade_{links}",
            "cascade of slices",
            module(ports, body),
            lambda _, n=links: Resources(dsp=n) + sum((costs.delay(c, 24) for c in range(1, n)), Resources()),
        )


def choices() -> Iterator[Kernel]:
    for ways, bits in ((2, 64), (3, 32), (4, 32), (8, 32), (16, 32), (32, 16), (64, 16)):
        select = (ways - 1).bit_length()
        ports = f"input [{ways * bits - 1}:0] d, input [{select - 1}:0] a, output [{bits - 1}:0] y"
        yield Kernel(
            f"choose_{ways}x{bits}",
            "choice of registers",
            module(ports, f"assign y = {chosen(ways, bits, select)};"),
            lambda _, w=ways, b=bits: costs.choice(w, b),
            "-widemux 5",
        )
    for ways, bits in ((4, 32), (16, 32), (64, 16)):
        select = (ways - 1).bit_length()
        ports = (
            f"input clk, input we, input [{bits - 1}:0] d, input [{select - 1}:0] a, output reg [{ways * bits - 1}:0] y"
        )
        words = "".join(f"if (we && a == {n}) y[{n * bits} +: {bits}] <= d;\n" for n in range(ways))
        yield Kernel(
            f"scatter_{ways}x{bits}",
            "registers by address",
            module(ports, f"always @(posedge clk) begin\n{words}end"),
            lambda _, w=ways, b=bits: costs.scatter(w) + costs.registers(w * b),
        )


def chosen(ways: int, bits: int, select: int, first: int = 0) -> str:
    """One of `ways` words by `select` bits of the address, as a tree of choices of two."""
    if first >= ways:
        return f"{bits}'bx"
    if select == 0:
        return f"d[{first * bits} +: {bits}]"
    halves = [chosen(ways, bits, select - 1, first + (n << (select - 1))) for n in (1, 0)]
    return f"(a[{select - 1}] ? {halves[0]} : {halves[1]})"


def guards() -> Iterator[Kernel]:
    for taps, lanes in ((9, 16), (9, 8), (4, 32)):
        bits = lanes * 8
        body = "".join(
            f"assign y[{n * bits} +: {bits}] = d[{n * bits} +: {bits}] & {{{bits}{{g[{n}]}}}};\n" for n in range(taps)
        )
        ports = f"input [{taps * bits - 1}:0] d, input [{taps - 1}:0] g, output [{taps * bits - 1}:0] y"
        yield Kernel(
            f"guard_{taps}x{lanes}",
            "padding",
            module(ports, body),
            lambda _, n=taps * bits: costs.guard(n),
        )


def counters() -> Iterator[Kernel]:
    for extents in ((32, 32, 16), (33, 33), (16, 16, 2, 32), (1024, 16)):
        widths = [max(1, (n - 1).bit_length()) for n in extents]
        ports = "input clk, input ce, input reset, " + ", ".join(
            f"output reg [{w - 1}:0] c{n}" for n, w in enumerate(widths)
        )
        step = ""
        for n, extent in enumerate(extents):  # the last loop is the innermost
            step = f"if (c{n} == {extent - 1}) begin c{n} <= 0; {{}} end else c{n} <= c{n} + 1;".replace("{}", step)
        zero = " ".join(f"c{n} <= 0;" for n in range(len(extents)))
        yield Kernel(
            "count_" + "_".join(map(str, extents)),
            "loop counters",
            module(ports, f"always @(posedge clk) if (reset) begin {zero} end else if (ce) begin {step} end"),
            lambda _, e=extents: costs.counters(e),
        )


def slices() -> Iterator[Kernel]:
    for left, right in ((8, 8), (25, 18), (27, 18), (32, 16)):
        ports = (
            f"input clk, input signed [{left - 1}:0] a, input signed [{right - 1}:0] b,"
            f" output reg signed [{left + right - 1}:0] y"
        )
        yield Kernel(
            f"slice_{left}x{right}",
            "product in DSP slices",
            module(ports, "always @(posedge clk) y <= a * b;"),
            lambda f, a=left, b=right: Resources(dsp=costs.slices(a, b, f)),
        )
