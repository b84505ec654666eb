# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs pipeline text that mixes our passes with MLIR's own. This is the only module that starts a pass."""

import difflib
import re
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from torch_mlir import ir, passmanager

from resnet_hls.errors import UserError, raise_if_interrupted
from resnet_hls.passes._registry import Pass, PassFailure, Remark, all_passes, find_pass, remark_sink
from resnet_hls.passes._text import Element, convert, fail, parse_pipeline
from resnet_hls.passes._upstream import explain, upstream_pass_names

_ROOT = "builtin.module"


@dataclass(frozen=True)
class Step:
    """One pass in its place: `anchors` are the nested operations from `builtin.module` down to those that it runs on.

    `own` is the pass where it is one of ours, and None where `text` is for MLIR's own pass manager.
    """

    anchors: tuple[str, ...]
    name: str
    text: str
    own: Pass | None

    def nested_text(self) -> str:
        """The pass inside its anchors, without the outermost one: `func.func(canonicalize)`."""
        inner = self.anchors[1:]
        return "".join(f"{anchor}(" for anchor in inner) + self.text + ")" * len(inner)


class ReportedFailure(PassFailure):
    """A failure whose diagnostics went to the context's diagnostic handlers already."""


class PassDefect(UserError):
    """A pass stopped with an exception that it should not have, mostly because the IR is not what it expects."""

    pass_name: str = ""


class Hook:
    """What wants to see the module around every pass. A hook raises UserError to stop the pipeline."""

    def before(self, step: Step, module: ir.Operation) -> None:
        """Called before the pass of `step` runs on `module`."""

    def after(self, step: Step, module: ir.Operation) -> None:
        """Called after the pass of `step` ran on `module` and the verifier accepted the result."""

    def remark(self, remark: Remark) -> None:
        """Called with each remark of a pass, while it runs."""


class Remarks(Hook):
    """Keeps the remarks of all passes in `found`, in the order in which they came."""

    def __init__(self) -> None:
        self.found: list[Remark] = []

    def remark(self, remark: Remark) -> None:
        """Keep `remark`."""
        self.found.append(remark)


class PassManager:
    """A pipeline, made by `PassManager.parse`."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)

    @staticmethod
    def parse(text: str) -> "PassManager":
        """The pipeline that `text` writes: `builtin.module(func.func(canonicalize),hls-fuse-loops{some-option=1})`.

        Raises:
            UserError: malformed text, an unknown pass or option, or a value of the wrong type; the message says where
                and, for a misspelt name, what was probably meant.
        """
        root = parse_pipeline(text)
        if root.name != _ROOT or root.children is None:
            fail(root.column, f"a pipeline starts with {_ROOT}(", f"write '{_ROOT}({text.strip()})'")
        steps: list[Step] = []
        _collect(root, (), steps)
        return PassManager(steps)

    def __str__(self) -> str:
        return f"{_ROOT}({','.join(step.nested_text() for step in self.steps)})"

    def run(self, module: ir.Module | ir.Operation | ir.OpView, hooks: Sequence[Hook] = ()) -> None:
        """Run the passes in order on `module`, which changes in place, and verify the IR after each.

        A PassFailure is not printed, only raised; the caller decides how it is reported. Its `pass_name` says which
        pass it was.

        Raises:
            PassFailure: a pass found IR that it cannot work on, or left IR that the verifier rejects.
            UserError: a hook stopped the pipeline, or a pass has a defect.
        """
        operation = module.operation
        if operation.name != _ROOT:
            raise PassFailure(operation, f"a pipeline runs on {_ROOT}, not on {operation.name}")
        with operation.context, operation.location:
            for step in self.steps:
                for hook in hooks:
                    hook.before(step, operation)
                try:
                    with _remarks_to(hooks, step.name):
                        _run_step(step, operation)
                except PassFailure as failure:
                    failure.pass_name = step.name
                    raise
                for hook in hooks:
                    hook.after(step, operation)


@contextmanager
def _remarks_to(hooks: Sequence[Hook], name: str) -> Iterator[None]:
    """Hand what pass `name` remarks to `hooks`."""

    def hand_on(location: ir.Location, message: str) -> None:
        for hook in hooks:
            hook.remark(Remark(name, location, message))

    token = remark_sink.set(hand_on)
    try:
        yield
    finally:
        remark_sink.reset(token)


def _run_step(step: Step, module: ir.Operation) -> None:
    """Run one pass on `module` and verify the result.

    Raises:
        PassFailure: the pass or the verifier rejects the IR.
        UserError: the pass has a defect.
    """
    try:
        if step.own is None:
            text = f"{_ROOT}({step.nested_text()})"
            passmanager.PassManager.parse(text, module.context).run(module)
            return
        for operation in _anchored(module, step.anchors):
            _run_own(step.own, operation)
        module.verify()
    except ir.MLIRError as error:
        if error.error_diagnostics:
            first = error.error_diagnostics[0]
            raise PassFailure(first.location, first.message.partition("\n")[0]) from error
        raise ReportedFailure(module, "failed") from error


def _collect(element: Element, anchors: tuple[str, ...], steps: list[Step]) -> None:
    """Append the steps inside `element`, an operation to run on, in order."""
    anchors = (*anchors, element.name)
    if element.options:
        fail(element.column, f"'{element.name}' is an operation to run on and takes no options")
    for child in element.children or ():
        if child.children is not None:
            if find_pass(child.name) is not None:
                fail(
                    child.column,
                    f"'{child.name}' is a pass, not an operation",
                    "options are written in braces: {name=value}",
                )
            _collect(child, anchors, steps)
            continue
        cls = find_pass(child.name)
        if cls is None:
            steps.append(_upstream_step(child, anchors))
            continue
        if cls.anchor not in (None, anchors[-1]):
            message = f"'{child.name}' runs on {cls.anchor}, not on {anchors[-1]}"
            fail(child.column, message, f"move it into {cls.anchor}(…)")
        own = _instance(cls, child)
        steps.append(Step(anchors, child.name, str(own), own))


def _instance(cls: type[Pass], element: Element) -> Pass:
    """The pass with the options that the text gives it."""
    options = {option.name: option for option in cls.options()}
    values = {}
    for text in element.options:
        option = options.get(text.key)
        if option is None:
            known = _did_you_mean(text.key, options) or (
                f"its options are: {', '.join(options)}" if options else "it has no options"
            )
            fail(text.column, f"'{element.name}' has no option '{text.key}'", known)
        if option.field in values:
            fail(text.column, f"option '{text.key}' is given twice")
        values[option.field] = convert(text, option)
    try:
        return cls(**values)
    except ValueError as error:  # a pass may reject combinations of its options
        fail(element.column, f"'{element.name}': {error}")


def _upstream_step(element: Element, anchors: tuple[str, ...]) -> Step:
    """A pass of MLIR's own; MLIR is asked at once whether there is such a pass with such options."""
    text = element.name + element.option_text
    step = Step(anchors, element.name, text, None)
    message = explain(f"{_ROOT}({step.nested_text()})")
    if message is None:
        return step
    if restricted := re.search(r"restricted to '(\S+)'", message):
        message = f"'{element.name}' runs on {restricted[1]}, not on {anchors[-1]}"
        fail(element.column, message, f"move it into {restricted[1]}(…)")
    if "does not refer to a registered pass" not in message:
        help = f"'torch-mlir-opt --help' lists the options of {element.name}"
        fail(element.column, f"'{element.name}': {message}", help)
    names = {cls.name for cls in all_passes()} | set(upstream_pass_names())
    help = (
        _did_you_mean(element.name, names)
        or "'resnet-opt --help-passes' lists ours, 'torch-mlir-opt --help' MLIR's own"
    )
    fail(element.column, f"no pass is called '{element.name}'", help)


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    for candidate in (name, f"hls-{name}"):
        close = difflib.get_close_matches(candidate, names, n=1, cutoff=0.75)
        if close:
            return f"did you mean '{close[0]}'?"
    return ""


def _anchored(module: ir.Operation, anchors: tuple[str, ...]) -> list[ir.Operation]:
    """The operations that `anchors` lead to, each level the direct children of the one above."""
    level = [module]
    for anchor in anchors[1:]:
        level = [
            op.operation
            for parent in level
            for region in parent.regions
            for block in region.blocks
            for op in block.operations
            if op.operation.name == anchor
        ]
    return level


def _run_own(own: Pass, operation: ir.Operation) -> None:
    """Run one of our passes, or a user's; what it fails to handle itself is reported with the place in its source."""
    try:
        own.run(operation)
    except (UserError, ir.MLIRError):
        raise
    except Exception as error:
        raise_if_interrupted(error)
        if isinstance(error, MemoryError):
            message = f"pass '{own.name}' needs more memory than there is"
            raise UserError(message, help="build a smaller network, or one for smaller images") from error
        frame = traceback.extract_tb(error.__traceback__)[-1]
        message = f"pass '{own.name}' stopped with {type(error).__name__}: {error}".partition("\n")[0]
        help = "this is a defect of the pass, not of its input; RESNET_HLS_TRACEBACK=1 shows the whole traceback"
        defect = PassDefect(message, where=f"{frame.filename}:{frame.lineno}", help=help)
        defect.pass_name = own.name
        raise defect from error
