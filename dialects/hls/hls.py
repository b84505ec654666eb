# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The `hls` dialect: tasks that run at the same time and share nothing but streams.

README.md beside this file gives the rationale and an example per operation. Loop and array directives are no
operations: they are `hls.*` attributes on `affine.for`, `memref.alloc` and `memref.global`.
"""

from collections.abc import Sequence
from typing import Any

from torch_mlir import ir
from torch_mlir.dialects.ext import Dialect, Operand, Region, Result


def element_of(stream: ir.Type) -> ir.VectorType:
    """The word type of a stream type."""
    return ir.VectorType(ir.TypeAttr(StreamType(stream).word).value)


def _error(op: Any, message: str) -> bool:
    op.location.emit_error(f"'{op.operation.name}' op {message}")
    return False


def _is_stream(value: ir.Value) -> bool:
    return str(value.type).startswith("!hls.stream<")


def _stream_and_memref(op: Any, stream: ir.Value, buffer: ir.Value) -> bool:
    """The operands are a stream of vectors and a static memref with a dimension or more."""
    if not _is_stream(stream) or not isinstance(ir.TypeAttr(StreamType(stream.type).word).value, ir.VectorType):
        return _error(op, f"expects a stream of vectors, got {stream.type}")
    if not isinstance(buffer.type, ir.MemRefType) or not buffer.type.has_static_shape or not buffer.type.shape:
        return _error(op, f"expects a memref of static shape, got {buffer.type}")
    return True


def _same_word(op: Any, stream: ir.Value, buffer: ir.Value) -> bool:
    """The buffer is a static memref with as many elements, of the same type, as a word has lanes."""
    if not _stream_and_memref(op, stream, buffer):
        return False
    word, kind = element_of(stream.type), ir.MemRefType(buffer.type)
    lanes = 1
    for extent in word.shape:
        lanes *= extent
    elements = 1
    for extent in kind.shape:
        elements *= extent
    if kind.element_type != word.element_type or elements != lanes:
        return _error(op, f"buffer {kind} does not hold one word {word}")
    return True


def _inside(op: Any, name: str) -> bool:
    parent = op.operation.parent
    while parent is not None and parent.name != name:
        parent = parent.operation.parent
    if parent is None:
        return _error(op, f"must be inside '{name}'")
    return True


def _has(op: Any, operands: int, results: int) -> bool:
    """Whether an operation has so many operands and results; without them nothing else can be asked."""
    found = (len(op.operation.operands), len(op.operation.results))
    if found == (operands, results):
        return True
    return _error(op, f"expects {operands} operands and {results} results, got {found[0]} and {found[1]}")


def _named(op: Any) -> bool:
    """Whether its name, where it has one, is text."""
    attributes = op.operation.attributes
    if "sym_name" not in attributes or isinstance(attributes["sym_name"], ir.StringAttr):
        return True
    return _error(op, f"expects a text as sym_name, got {attributes['sym_name']}")


class HLS(Dialect, name="hls"):
    pass


class StreamType(HLS.Type, name="stream"):
    """A first-in first-out channel of words; the word is a static vector of integers."""

    word: Any


class DataflowOp(HLS.Operation, name="dataflow", traits=[ir.NoTerminatorTrait]):
    """One frame through tasks that all run at the same time."""

    body: Region

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if len(op.operation.regions) != 1 or len(list(op.operation.regions[0].blocks)) != 1:
            return _error(op, "expects a region of one block")
        block = op.regions[0].blocks[0]
        for inner in block.operations:
            if inner.operation.name not in {"hls.fifo", "hls.task", "hls.source", "hls.sink"}:
                return _error(op, f"holds '{inner.operation.name}': only fifo, task, source and sink may stand in it")
        for inner in block.operations:
            # One without a stream has not been verified yet: operations inside come later.
            is_fifo = inner.operation.name == "hls.fifo" and len(inner.operation.results) == 1
            if is_fifo and not _one_writer_one_reader(inner):
                return False
        return True


def _ends(fifo: Any, names: set[str]) -> int:
    """How many tasks and ports use the stream by operations of these names."""
    ends = set()
    for use in fifo.operation.results[0].uses:
        owner = use.owner.operation
        if owner.name in names:
            ends.add(owner if owner.name in {"hls.source", "hls.sink"} else enclosing_task(owner))
    return len(ends)


def _one_writer_one_reader(fifo: Any) -> bool:
    writers, readers = _ends(fifo, {"hls.write", "hls.source"}), _ends(fifo, {"hls.read", "hls.sink"})
    if writers != 1 or readers != 1:
        return _error(fifo, f"has {writers} writers and {readers} readers, expected one of each")
    return True


def enclosing_task(op: ir.Operation) -> ir.Operation | None:
    """The hls.task around an operation, or None."""
    parent = op.operation.parent
    while parent is not None and parent.name != "hls.task":
        parent = parent.operation.parent
    return None if parent is None else parent.operation


class FifoOp(HLS.Operation, name="fifo"):
    """A stream with room for `depth` words."""

    depth: ir.IntegerAttr
    sym_name: ir.StringAttr
    stream: Result[StreamType]

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if len(op.operation.results) != 1 or not _is_stream(op.operation.results[0]):
            return _error(op, "expects one result, a stream")
        if not _named(op):
            return False
        attributes = op.operation.attributes
        if "depth" not in attributes or not isinstance(attributes["depth"], ir.IntegerAttr):
            return _error(op, "requires an integer attribute 'depth'")
        word = ir.TypeAttr(StreamType(op.operation.results[0].type).word).value
        if not isinstance(word, ir.VectorType) or not isinstance(ir.VectorType(word).element_type, ir.IntegerType):
            return _error(op, f"word type must be a vector of integers, got {word}")
        if ir.IntegerAttr(attributes["depth"]).value < 1:
            return _error(op, "depth must be at least 1")
        return True


class TaskOp(HLS.Operation, name="task", traits=[ir.NoTerminatorTrait]):
    """A process: reads streams, computes, writes streams; starts its next frame when it has ended the last.

    It names the streams of the dataflow around it and nothing else from outside: no value, no memory is shared.
    """

    sym_name: ir.StringAttr
    body: Region

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if len(op.operation.regions) != 1 or len(list(op.operation.regions[0].blocks)) != 1:
            return _error(op, "expects a region of one block")
        if not _named(op):
            return False
        task = op.operation
        result = True

        def visit(inner: ir.Operation) -> ir.WalkResult:
            nonlocal result
            for operand in inner.operation.operands:
                if not _defined_in(operand, task) and not _is_stream(operand):
                    result = _error(
                        inner, f"uses a value of type {operand.type} from outside its task: only streams may be shared"
                    )
                    return ir.WalkResult.INTERRUPT
            return ir.WalkResult.ADVANCE

        task.walk(visit)
        return result


def _defined_in(value: ir.Value, task: ir.Operation) -> bool:
    owner = value.owner
    op = owner.owner.operation if isinstance(owner, ir.Block) else owner.operation
    while op is not None and op != task:
        op = None if op.parent is None else op.parent.operation
    return op is not None


class ReadOp(HLS.Operation, name="read"):
    """Takes one word from a stream into a buffer; waits while the stream is empty."""

    stream: Operand[StreamType]
    buffer: Operand[ir.MemRefType]

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if not _has(op, 2, 0):
            return False
        stream, buffer = op.operation.operands
        return _same_word(op, stream, buffer) and _inside(op, "hls.task")


class WriteOp(HLS.Operation, name="write"):
    """Puts the word in a buffer into a stream; waits while the stream is full."""

    buffer: Operand[ir.MemRefType]
    stream: Operand[StreamType]

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if not _has(op, 2, 0):
            return False
        buffer, stream = op.operation.operands
        return _same_word(op, stream, buffer) and _inside(op, "hls.task")


def _whole_words(op: Any, buffer: ir.Value, stream: ir.Value) -> bool:
    if not _stream_and_memref(op, stream, buffer):
        return False
    word, kind = element_of(stream.type), ir.MemRefType(buffer.type)
    elements = 1
    for extent in kind.shape:
        elements *= extent
    if kind.element_type != word.element_type or len(word.shape) != 1 or elements % word.shape[0]:
        return _error(op, f"{kind} is no row of words {word}")
    return _inside(op, "hls.dataflow")


class SourceOp(HLS.Operation, name="source"):
    """Feeds the elements of a memref, in row-major order, into a stream: the accelerator's input port."""

    buffer: Operand[ir.MemRefType]
    stream: Operand[StreamType]

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if not _has(op, 2, 0):
            return False
        buffer, stream = op.operation.operands
        return _whole_words(op, buffer, stream)


class SinkOp(HLS.Operation, name="sink"):
    """Collects the words of a stream into a memref in row-major order: the accelerator's output port."""

    stream: Operand[StreamType]
    buffer: Operand[ir.MemRefType]

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if not _has(op, 2, 0):
            return False
        stream, buffer = op.operation.operands
        return _whole_words(op, buffer, stream)


def _shift(op: Any) -> int | None:
    """The attribute `shift`, at least 1; None, and an error, where there is none."""
    attributes = op.operation.attributes
    if "shift" not in attributes or not isinstance(attributes["shift"], ir.IntegerAttr):
        _error(op, "requires an integer attribute 'shift'")
        return None
    shift: int = ir.IntegerAttr(attributes["shift"]).value
    if shift < 1:
        _error(op, "shift must be at least 1")
        return None
    return shift


def _widths(op: Any) -> list[int] | None:
    """Bits of the operands and of the one result; None, and an error, where one of them is no integer."""
    kinds = [value.type for value in [*op.operation.operands, *op.operation.results]]
    for kind in kinds:
        if not isinstance(kind, ir.IntegerType):
            _error(op, f"expects integers, got {kind}")
            return None
    return [ir.IntegerType(kind).width for kind in kinds]


def _lane(op: Any) -> tuple[int, int, int] | None:
    """Where the high lane begins, and the bits of the packed number and of the lane taken out; None, and an error."""
    shift, widths = _shift(op), _widths(op)
    return None if shift is None or widths is None else (shift, widths[0], widths[1])


class PackOp(HLS.Operation, name="pack"):
    """Two numbers in one: `high * 2^shift + low`, modulo 2 to the width of the result; operands are signed."""

    high: Operand[ir.IntegerType]
    low: Operand[ir.IntegerType]
    shift: ir.IntegerAttr
    packed: Result[ir.IntegerType]

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if not _has(op, 2, 1):
            return False
        shift, widths = _shift(op), _widths(op)
        if shift is None or widths is None:
            return False
        _, low, packed = widths
        if low > shift:
            return _error(op, f"low lane of {low} bits reaches into the high one, which begins at bit {shift}")
        return shift < packed or _error(op, f"a result of {packed} bits has none for a high lane at bit {shift}")


class LowOp(HLS.Operation, name="low"):
    """The low lane of `high * 2^shift + low + 2^(shift - 1)`, a signed number of `shift` bits."""

    packed: Operand[ir.IntegerType]
    shift: ir.IntegerAttr
    lane: Result[ir.IntegerType]

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if not _has(op, 1, 1) or (found := _lane(op)) is None:
            return False
        shift, packed, lane = found
        if shift >= packed:
            return _error(op, f"{packed} bits hold no lane above bit {shift}")
        return lane == shift or _error(op, f"the low lane has {shift} bits, not {lane}")


class HighOp(HLS.Operation, name="high"):
    """The high lane of `high * 2^shift + low + 2^(shift - 1)`, modulo 2 to the width of the result."""

    packed: Operand[ir.IntegerType]
    shift: ir.IntegerAttr
    lane: Result[ir.IntegerType]

    @staticmethod
    def verify_invariants(op: Any) -> bool:
        if not _has(op, 1, 1) or (found := _lane(op)) is None:
            return False
        shift, packed, lane = found
        return shift + lane <= packed or _error(op, f"{packed} bits hold no {lane} bits above bit {shift}")


_loaded: list[ir.Context] = []


def load(context: ir.Context) -> None:
    """Makes the dialect known in `context`; loading it twice is harmless."""
    if any(known is context for known in _loaded):
        return
    with context, ir.Location.unknown():
        HLS.load()
    _loaded.append(context)


def stream_type(element: ir.Type, lanes: Sequence[int]) -> ir.Type:
    """`!hls.stream<vector<lanes x element>>`."""
    return StreamType.get(ir.TypeAttr.get(ir.VectorType.get(list(lanes), element)))


def irdl_text() -> str:
    """The dialect's definition as IRDL, for `dialects/hls/hls.irdl.mlir`."""
    with ir.Context(), ir.Location.unknown():
        HLS.load()
        return str(HLS._mlir_module) + "\n"
