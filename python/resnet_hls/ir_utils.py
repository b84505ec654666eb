"""Small helpers over the MLIR Python bindings that several passes need. Nothing in here knows about networks or
hardware.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import affine, arith, linalg, tensor
from torch_mlir.passmanager import PassManager as UpstreamPassManager

from resnet_hls.passes._registry import PassFailure

IntegerArray = np.ndarray[Any, np.dtype[np.integer[Any]]]


def walk(root: ir.Operation, *names: str) -> list[ir.Operation]:
    """Operations below `root` (itself included) whose name is one of `names` (all when none is given), in program
    order.
    """
    found: list[ir.Operation] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if not names or op.operation.name in names:
            found.append(op.operation)
        return ir.WalkResult.ADVANCE

    root.operation.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def outermost(root: ir.Operation, name: str) -> list[ir.Operation]:
    """Operations below `root` with this name, in program order, without what is inside one of them: that is skipped."""
    found: list[ir.Operation] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if op.operation.name != name:
            return ir.WalkResult.ADVANCE
        found.append(op.operation)
        return ir.WalkResult.SKIP

    root.operation.walk(visit, ir.WalkOrder.PRE_ORDER)
    return found


def public_function(module: ir.Operation) -> ir.Operation:
    """The one public `func.func` of the module. Raises PassFailure when there is none or more than one."""
    functions = [
        op.operation
        for op in module.regions[0].blocks[0].operations
        if op.operation.name == "func.func" and "sym_visibility" not in op.operation.attributes
    ]
    if len(functions) != 1:
        raise PassFailure(
            module,
            f"expected one public func.func, found {len(functions)}",
            help="mark helpers as private or inline them",
        )
    return functions[0]


def body(op: ir.Operation) -> ir.Block:
    return op.regions[0].blocks[0]


def defining_op(value: ir.Value) -> ir.Operation | None:
    """The operation that produces `value`; None for a block argument."""
    owner = value.owner
    return None if isinstance(owner, ir.Block) else owner.operation


def has_uses(value: ir.Value) -> bool:
    return next(iter(value.uses), None) is not None


def users(value: ir.Value) -> list[ir.Operation]:
    """Users of `value` in program order of their creation, an operation once for each operand that uses it."""
    return [use.owner.operation for use in value.uses]


def erase_if_unused(op: ir.Operation) -> bool:
    if any(has_uses(result) for result in op.results):
        return False
    op.erase()
    return True


def erase_tree(op: ir.Operation) -> None:
    """Erases `op` with everything below it.

    One by one: erasing the root alone would leave Python handles of the inner operations behind, which the bindings
    then take
    for whatever operation is created at the same address.
    """
    for nested in reversed(walk(op)):
        nested.erase()


def run_upstream(module: ir.Operation, pipeline: str) -> None:
    """Runs upstream passes inside one of ours, e.g. `builtin.module(canonicalize,cse)`."""
    UpstreamPassManager.parse(pipeline, context=module.context).run(module)


def location_name(location: ir.Location) -> str:
    """The name that leads back to the source node: the first NameLoc inside `location`, or ""."""
    match = re.search(r'"((?:[^"\\]|\\.)*)"(?!:\d)', str(location))
    return match.group(1) if match else ""


def source_name(op: ir.Operation) -> str:
    return location_name(op.location)


#: Of names that are made; streams have two of them in theirs, and file systems end at 255.
_LONGEST_NAME = 80


def identifier(name: str) -> str:
    """A C identifier from a source name: `/layer1/layer1.0/conv1/Conv` becomes `layer1_0_conv1`.

    The last part of an ONNX node name is its operator; a part that the next one repeats is left out.
    """
    parts = [part for part in name.split("/") if part]
    if len(parts) > 1:
        parts.pop()
    parts = [part for part, following in zip(parts, [*parts[1:], ""], strict=False) if not following.startswith(part)]
    text = re.sub(r"[^A-Za-z0-9]+", "_", "_".join(parts)).strip("_").lower()[:_LONGEST_NAME].rstrip("_")
    return f"n{text}" if text[:1].isdigit() else text


# --- constants
# -------------------------------------------------------------------------------------------------------------

_RESOURCE = re.compile(r'^\s+([^\s:]+|"[^"]+"): "0x([0-9A-Fa-f]+)"', re.MULTILINE)
_NUMPY_TYPES = {
    "i1": np.bool_,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "f32": np.float32,
    "f64": np.float64,
}


class ConstantReader:
    """Reads `arith.constant` tensors as numpy arrays, `dense_resource` blobs included.

    The bindings have no accessor for resource blobs, so they are taken once from the printed module.
    """

    def __init__(self, module: ir.Operation) -> None:
        self._module = module
        self._blobs: dict[str, bytes] | None = None

    def array(self, attribute: ir.Attribute) -> np.ndarray[Any, Any]:
        """The elements of a dense attribute, shape as in its type."""
        if isinstance(attribute, ir.DenseElementsAttr):
            shaped = ir.ShapedType(attribute.type)
            dtype = _NUMPY_TYPES[str(shaped.element_type)]
            if attribute.is_splat:
                scalar = attribute.get_splat_value()
                return np.full(shaped.shape, scalar.value, dtype=dtype)
            return np.array(attribute).astype(dtype, copy=False).reshape(shaped.shape)
        match = re.match(r'dense_resource<("?[^>]+)> : (.*)$', str(attribute))
        if match is None:
            raise ValueError(f"no dense constant: {attribute}")
        if self._blobs is None:
            text = str(self._module.get_asm(enable_debug_info=False))
            self._blobs = {key.strip('"'): bytes.fromhex(blob) for key, blob in _RESOURCE.findall(text)}
        shaped = ir.ShapedType(ir.Type.parse(match.group(2)))
        dtype = _NUMPY_TYPES[re.sub(r"^[us]i", "i", str(shaped.element_type))]
        # A blob starts with four bytes of alignment.
        return np.frombuffer(self._blobs[match.group(1).strip('"')][4:], dtype=dtype).reshape(shaped.shape)

    def value(self, value: ir.Value) -> np.ndarray[Any, Any] | None:
        """The elements of `value` when an `arith.constant` tensor defines it, else None."""
        op = defining_op(value)
        if op is None or op.name != "arith.constant" or not isinstance(value.type, ir.RankedTensorType):
            return None
        return self.array(op.attributes["value"])


def scalar_constant(value: ir.Value) -> int | float | None:
    """The number an `arith.constant` scalar holds, else None."""
    op = defining_op(value)
    if op is None or op.name != "arith.constant":
        return None
    attribute = op.attributes["value"]
    if isinstance(attribute, (ir.IntegerAttr, ir.FloatAttr)):
        number: int | float = attribute.value
        return number
    return None


def integer_type(width: int) -> ir.IntegerType:
    return ir.IntegerType.get_signless(width)


def dense(array: IntegerArray) -> ir.DenseElementsAttr:
    """A signless dense attribute of the array's shape and width."""
    signed = np.ascontiguousarray(array).view(f"i{array.dtype.itemsize}")
    return ir.DenseElementsAttr.get(signed, type=integer_type(8 * array.dtype.itemsize), shape=list(array.shape))


def tensor_constant(array: IntegerArray) -> ir.Value:
    """`arith.constant dense<…>` of a signless integer tensor at the insertion point."""
    kind = ir.RankedTensorType.get(list(array.shape), integer_type(8 * array.dtype.itemsize))
    return arith.ConstantOp(kind, dense(array)).result


def int_constant(number: int, width: int = 32) -> ir.Value:
    return arith.ConstantOp(integer_type(width), ir.IntegerAttr.get(integer_type(width), number)).result


# --- linalg
# ----------------------------------------------------------------------------------------------------------------


def affine_maps(op: ir.Operation) -> list[ir.AffineMap]:
    """`indexing_maps` of a linalg operation."""
    return [ir.AffineMapAttr(attribute).value for attribute in ir.ArrayAttr(op.attributes["indexing_maps"])]


def iterator_types(op: ir.Operation) -> list[str]:
    """`parallel` / `reduction` per loop of a linalg.generic."""
    return [re.sub(r".*<(\w+)>.*", r"\1", str(a)) for a in ir.ArrayAttr(op.attributes["iterator_types"])]


@contextmanager
def generic(
    inputs: Sequence[ir.Value], init: ir.Value, maps: Sequence[ir.AffineMap], iterators: Sequence[str]
) -> Iterator[tuple[ir.Operation, list[ir.Value]]]:
    """Creates a one-result `linalg.generic`; the body of the `with` builds its region and must end in
    `linalg.yield`.
    """
    kinds = ir.ArrayAttr.get([ir.Attribute.parse(f"#linalg.iterator_type<{kind}>") for kind in iterators])
    op = linalg.GenericOp(
        [init.type], list(inputs), [init], ir.ArrayAttr.get([ir.AffineMapAttr.get(m) for m in maps]), kinds
    )
    block = op.regions[0].blocks.append(*[ir.ShapedType(value.type).element_type for value in [*inputs, init]])
    with ir.InsertionPoint(block):
        yield op.operation, list(block.arguments)


def empty_tensor(shape: Sequence[int], element: ir.Type) -> ir.Value:
    return tensor.EmptyOp(list(shape), element).result


def shape_of(value: ir.Value) -> list[int]:
    return list(ir.ShapedType(value.type).shape)


# --- affine
# ----------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _constraint_text(text: str) -> tuple[tuple[str, ...], tuple[bool, ...], str]:
    match = re.fullmatch(r"affine_set<(\(.*?\))(?:\[.*?\])? : \((.*)\)>", text)
    if match is None:
        raise ValueError(f"not an affine set: {text}")
    parts = [part.strip() for part in match.group(2).split(",")]
    expressions = tuple(re.sub(r"\s*[>=]= 0$", "", part) for part in parts)
    return expressions, tuple(part.endswith("== 0") for part in parts), match.group(1)


def dims_of(expr: ir.AffineExpr) -> set[int]:
    """Positions of the dimensions that occur in an affine expression."""
    if isinstance(expr, ir.AffineDimExpr):
        return {expr.position}
    if isinstance(expr, ir.AffineBinaryExpr):
        return dims_of(expr.lhs) | dims_of(expr.rhs)
    return set()


def set_constraints(condition: ir.Attribute) -> list[tuple[ir.AffineExpr, bool]]:
    """Constraints of an integer set attribute as (expression, is equality); an inequality means expression >= 0.

    The bindings can build integer sets but not read an attribute's, so the expressions go through an affine map's text.
    """
    expressions, equalities, dims = _constraint_text(str(condition))
    parsed = ir.AffineMapAttr.parse(f"affine_map<{dims} -> ({', '.join(expressions)})>").value
    return list(zip(parsed.results, equalities, strict=True))


def affine_load(memref_value: ir.Value, index_map: ir.AffineMap, operands: Sequence[ir.Value]) -> ir.Value:
    element = ir.MemRefType(memref_value.type).element_type
    return affine.AffineLoadOp(element, memref_value, list(operands), ir.AffineMapAttr.get(index_map)).result


def affine_store(
    value: ir.Value, memref_value: ir.Value, index_map: ir.AffineMap, operands: Sequence[ir.Value]
) -> None:
    affine.AffineStoreOp(value, memref_value, list(operands), ir.AffineMapAttr.get(index_map))


@contextmanager
def affine_loops(
    extents: Sequence[int], attributes: Sequence[Mapping[str, ir.Attribute]] | None = None
) -> Iterator[list[ir.Value]]:
    """A perfect nest `for 0..extent` per entry; yields the induction variables with the insertion point in the
    innermost body.
    """
    induction: list[ir.Value] = []
    point = ir.InsertionPoint.current
    for depth, extent in enumerate(extents):
        with point:
            loop = affine.AffineForOp(0, extent)
            for key, value in (attributes[depth] if attributes else {}).items():
                loop.operation.attributes[key] = value
        with ir.InsertionPoint(loop.body):
            point = ir.InsertionPoint(affine.AffineYieldOp([]))
        induction.append(loop.induction_variable)
    with point:
        yield induction


@contextmanager
def affine_guard(constraints: Sequence[tuple[ir.AffineExpr, bool]], operands: Sequence[ir.Value]) -> Iterator[None]:
    """An `affine.if` over the conjunction of `constraints` (expressions over `operands` as dims); no `if` when there
    are none.
    """
    if not constraints:
        yield
        return
    exprs = [expr for expr, _ in constraints]
    condition = ir.IntegerSet.get(len(operands), 0, exprs, [eq for _, eq in constraints])
    op = affine.AffineIfOp(condition, cond_operands=list(operands))
    block = op.then_block
    with ir.InsertionPoint(block):
        terminator = affine.AffineYieldOp([])
    with ir.InsertionPoint(terminator):
        yield


def edge_guard(loops: Sequence[int], extents: Sequence[int], last: bool) -> list[tuple[ir.AffineExpr, bool]]:
    """Constraints, for `affine_guard`, that hold in the first (or last) iteration of the loops with these positions."""
    dim = ir.AffineExpr.get_dim
    return [(dim(d) - (extents[d] - 1) if last else dim(d), True) for d in loops]


def copy_if(
    op: ir.Operation,
    constraints: Sequence[tuple[ir.AffineExpr, bool]],
    operands: Sequence[ir.Value],
    copy: Callable[[ir.Operation], None],
    mapping: dict[ir.Value, ir.Value],
) -> None:
    """An `affine.if` like `op` under other constraints (over `operands` as dims), its operations copied by `copy`.

    `mapping` gives the copies of values, and learns those of the results.
    """
    exprs, equalities = [expr for expr, _ in constraints], [equal for _, equal in constraints]
    condition = ir.IntegerSet.get(len(operands), 0, exprs, equalities)
    otherwise = len(op.regions[1].blocks) > 0
    kinds = [result.type for result in op.results]
    new = affine.AffineIfOp(condition, kinds, cond_operands=list(operands), has_else=otherwise)
    for number, block in enumerate([new.then_block, *([new.else_block] if otherwise else [])]):
        source = op.regions[number].blocks[0]
        with ir.InsertionPoint(block):
            for inner in block_operations(source):
                copy(inner)
            yielded = [o.operation for o in source.operations][-1].operands
            affine.AffineYieldOp([mapping.get(value, value) for value in yielded])
    for old, result in zip(op.results, new.results, strict=True):
        mapping[old] = result


def index_operands(op: ir.Operation) -> list[ir.Value]:
    """The index operands of an affine.load, affine.store or affine.if (the operands of its map or set)."""
    skip = {"affine.load": 1, "affine.store": 2, "affine.if": 0}[op.name]
    return list(op.operands)[skip:]


def access_map(op: ir.Operation) -> ir.AffineMap:
    return ir.AffineMapAttr(op.attributes["map"]).value


def accessed_memref(op: ir.Operation) -> ir.Value:
    return op.operands[0] if op.name == "affine.load" else op.operands[1]


def hoist_constants(function: ir.Operation) -> None:
    """Moves the scalar constants of nests to the start of the function, where every copy of an operation sees them."""
    first = body(function).operations[0].operation
    for op in walk(function, "arith.constant"):
        if op.block != body(function):
            op.move_before(first)


def clone_into(ops: Iterable[ir.Operation], mapping: dict[ir.Value, ir.Value]) -> list[ir.Operation]:
    """Clones `ops` at the insertion point, replacing operands (nested ones too) by `mapping`, which learns the new
    results.
    """
    copies: list[ir.Operation] = []
    for op in ops:
        copy = op.operation.clone()
        for nested in walk(copy):
            for index, operand in enumerate(nested.operands):
                if operand in mapping:
                    nested.operands[index] = mapping[operand]
        for old, new in zip(op.results, copy.results, strict=True):
            mapping[old] = new
        copies.append(copy)
    return copies


def block_operations(block: ir.Block) -> list[ir.Operation]:
    """Operations of a block without its terminator."""
    ops = [op.operation for op in block.operations]
    return ops[:-1] if ops and ops[-1].name in {"affine.yield", "linalg.yield", "func.return"} else ops
