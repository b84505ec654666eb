# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `resnet-opt` can do around every pass: print, measure, validate. Changes no IR."""

import sys
import time

from torch_mlir import ir

from resnet_hls.passes import Hook
from resnet_hls.passes._manager import Step
from resnet_hls.passes._registry import is_contract


class PrintAfterEach(Hook):
    """Prints the module to stderr after each pass, as `--mlir-print-ir-after-all` of mlir-opt does."""

    def __init__(self, elide_larger: int | None, debug_info: bool) -> None:
        self.elide_larger = elide_larger
        self.debug_info = debug_info

    def after(self, step: Step, module: ir.Operation) -> None:
        """Print `module`."""
        text = module.get_asm(enable_debug_info=self.debug_info, large_elements_limit=self.elide_larger)
        print(f"// -----// IR Dump After {step.nested_text()} //----- //\n{text}", file=sys.stderr)


class Stopwatch(Hook):
    """Measures the wall time of each pass, without that of the other hooks where it comes last among them."""

    def __init__(self) -> None:
        self.started = time.perf_counter()
        self.rows: list[tuple[str, float]] = []
        self._before = 0.0

    def before(self, step: Step, module: ir.Operation) -> None:
        """Start the clock."""
        self._before = time.perf_counter()

    def after(self, step: Step, module: ir.Operation) -> None:
        """Stop the clock."""
        self.rows.append((step.nested_text(), time.perf_counter() - self._before))

    def report(self) -> str:
        """A table: seconds and per cent of the whole per pass, then the rest (reading, writing) and the whole."""
        whole = time.perf_counter() - self.started
        rows = [*self.rows, ("(reading, printing, hooks)", whole - sum(seconds for _, seconds in self.rows))]
        lines = [f"  {seconds:8.4f} s {100 * seconds / whole:5.1f} %  {name}" for name, seconds in rows]
        return "\n".join(["===== wall time =====", *lines, f"  {whole:8.4f} s 100.0 %  total"]) + "\n"


class ValidateEach(Hook):
    """Runs the module before and after each pass on the same random images and stops at the first difference.

    Not around contracts, which change nothing: what they refuse may not end, or do anything at all.
    """

    def __init__(self, seed: int, images: int) -> None:
        from resnet_hls.simulate.validate import Validator  # NumPy and the JIT, only where asked for

        self._validator = Validator(seed, images)

    def before(self, step: Step, module: ir.Operation) -> None:
        """Run the module as the pass gets it."""
        if not is_contract(step.name):
            self._validator.before(module)

    def after(self, step: Step, module: ir.Operation) -> None:
        """Run the module as the pass left it, and compare."""
        if not is_contract(step.name):
            self._validator.after(step.nested_text(), module)
