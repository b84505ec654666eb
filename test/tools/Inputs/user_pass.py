"""A user's own passes, in a user's own file."""

from dataclasses import dataclass
from typing import ClassVar

from torch_mlir import ir

from resnet_hls import Pass, PassFailure, option, register_pass, remark


@register_pass
@dataclass(frozen=True)
class Label(Pass):
    """Label every function.

    The label is a string attribute `label`."""

    name: ClassVar[str] = "my-label"
    anchor: ClassVar[str | None] = "func.func"

    text: str = option("here", "what the label says")
    stop: bool = option(False, "stop as a defective pass does")

    def run(self, op: ir.Operation) -> None:
        """Set the attribute."""
        if self.stop:
            raise KeyError("no such thing")
        if "label" in op.attributes:
            raise PassFailure(op, "has a label already", help="use my-label once")
        op.attributes["label"] = ir.StringAttr.get(self.text)
        remark(op, f"is labelled '{self.text}'")


@register_pass
@dataclass(frozen=True)
class Break(Pass):
    """Leave invalid IR: a function that returns nothing where it promises a value."""

    name: ClassVar[str] = "my-break"

    def run(self, op: ir.Operation) -> None:
        """Drop what the first function's terminator returns."""
        function = op.regions[0].blocks[0].operations[0].operation
        block = function.regions[0].blocks[0]
        block.operations[len(block.operations) - 1].operation.erase()
        with ir.InsertionPoint(block), function.location:
            ir.Operation.create("func.return")
