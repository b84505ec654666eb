# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-bufferize: every tensor a buffer of its own, every operation a nest of affine loops.

No aliases, no copies, no padding nests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from torch_mlir import ir
from torch_mlir.dialects import affine, func, memref

from resnet_hls import ir_utils as iu
from resnet_hls.cpp_names import Names
from resnet_hls.passes._registry import Pass, PassFailure, register_pass
from resnet_hls.passes.channels_last import privatize


@dataclass(frozen=True)
class View:
    """How a tensor is found in a buffer: `indices` from tensor index to buffer index.

    Outside `guards` it is `padding`.
    """

    buffer: ir.Value
    indices: ir.AffineMap
    guards: tuple[ir.AffineExpr, ...] = ()  # each expression (over the tensor index) must be >= 0
    padding: int = 0


def _compose_all(exprs: list[ir.AffineExpr], inner: ir.AffineMap) -> list[ir.AffineExpr]:
    return [ir.AffineExpr.simplify_affine_expr(expr.compose(inner), inner.n_dims, 0) for expr in exprs]


@dataclass
class _Bufferizer:
    module: ir.Operation
    function: ir.Operation
    views: dict[ir.Value, View] = field(default_factory=dict)

    def __post_init__(self) -> None:
        module_symbols = [o.operation.attributes for o in iu.body(self.module).operations]
        self.names = Names(ir.StringAttr(s["sym_name"]).value for s in module_symbols if "sym_name" in s)
        self.constants = iu.ConstantReader(self.module)
        self.entry = iu.body(self.function).operations[0].operation

    def allocate(self, shape: list[int], element: ir.Type, location: ir.Location) -> ir.Value:
        with ir.InsertionPoint(self.entry), location:
            return memref.AllocOp(ir.MemRefType.get(shape, element), [], []).result

    def identity(self, value: ir.Value, buffer: ir.Value) -> View:
        return View(buffer, ir.AffineMap.get_identity(len(iu.shape_of(value))))

    def view(self, value: ir.Value) -> View:
        if value not in self.views:
            array = self.constants.value(value)
            op = iu.defining_op(value)
            if array is None or op is None:
                raise PassFailure(op or self.function, "a tensor without a buffer")
            user = iu.users(value)[0]
            started = user.name == "linalg.generic" and len(user.operands) == 2  # spread over an accumulator
            role = "weight" if array.ndim > 1 else "bias" if started else "constant"
            name = self.names.unique(f"{iu.identifier(iu.source_name(user))}_{role}".strip("_"))
            kind = ir.MemRefType.get(list(array.shape), iu.integer_type(8 * array.dtype.itemsize))
            with ir.InsertionPoint(self.function), op.location:
                memref.GlobalOp(
                    name, ir.TypeAttr.get(kind), sym_visibility="private", initial_value=iu.dense(array), constant=True
                )
            with ir.InsertionPoint(self.entry), op.location:
                self.views[value] = self.identity(value, memref.GetGlobalOp(kind, name).result)
        return self.views[value]

    def pad(self, op: ir.Operation) -> View:
        source = self.view(op.operands[0])
        low = list(ir.DenseI64ArrayAttr(op.attributes["static_low"]))
        high = list(ir.DenseI64ArrayAttr(op.attributes["static_high"]))
        shape = iu.shape_of(op.operands[0])
        filling = iu.scalar_constant(iu.body(op).operations[0].operation.operands[0])
        if filling is None or (source.guards and source.padding != filling):
            raise PassFailure(op, "padding that is no constant, or twice with different values")
        rank = len(shape)
        dims = [ir.AffineExpr.get_dim(d) for d in range(rank)]
        back = ir.AffineMap.get(rank, 0, [d - n for d, n in zip(dims, low, strict=True)])
        guards = _compose_all(list(source.guards), back)
        for d, (before, after, extent) in enumerate(zip(low, high, shape, strict=True)):
            if before > 0:
                guards.append(dims[d] - before)
            if after > 0:
                guards.append((extent + before - 1) - dims[d])
        indices = ir.AffineMap.get(rank, 0, _compose_all(list(source.indices.results), back))
        return View(source.buffer, indices, tuple(guards), int(filling))

    def reshape(self, op: ir.Operation) -> View:
        """collapse_shape and expand_shape as a change of index."""
        source = self.view(op.operands[0])
        collapsing = op.name == "tensor.collapse_shape"
        groups = [
            [ir.IntegerAttr(i).value for i in ir.ArrayAttr(g)] for g in ir.ArrayAttr(op.attributes["reassociation"])
        ]
        fine = iu.shape_of(op.operands[0] if collapsing else op.results[0])
        rank = len(iu.shape_of(op.results[0]))
        back: list[ir.AffineExpr] = [ir.AffineExpr.get_constant(0)] * len(iu.shape_of(op.operands[0]))
        for coarse, group in enumerate(groups):
            if collapsing:
                rest = ir.AffineExpr.get_dim(coarse)
                for d in reversed(group):
                    others = int(np.prod([fine[g] for g in group if g < d], dtype=np.int64))
                    if fine[d] == 1:
                        continue
                    back[d] = rest if others == 1 else ir.AffineExpr.get_mod(rest, fine[d])
                    rest = ir.AffineExpr.get_floor_div(rest, fine[d])
            else:
                total = ir.AffineExpr.get_constant(0)
                for d in group:
                    total = total * fine[d] + ir.AffineExpr.get_dim(d)
                back[coarse] = total
        inner = ir.AffineMap.get(rank, 0, back)
        indices = ir.AffineMap.get(rank, 0, _compose_all(list(source.indices.results), inner))
        return View(source.buffer, indices, tuple(_compose_all(list(source.guards), inner)), source.padding)

    def load(self, view: View, access: ir.AffineMap, induction: list[ir.Value]) -> ir.Value:
        """The element of a tensor at `access(induction)`; outside the guards its padding."""
        index_map = ir.AffineMap.get(access.n_dims, 0, _compose_all(list(view.indices.results), access))
        if not view.guards:
            return iu.affine_load(view.buffer, index_map, induction)
        element = ir.MemRefType(view.buffer.type).element_type
        guards = _compose_all(list(view.guards), access)
        condition = ir.IntegerSet.get(len(induction), 0, guards, [False] * len(guards))
        op = affine.AffineIfOp(condition, [element], cond_operands=induction, has_else=True)
        with ir.InsertionPoint(op.then_block):
            affine.AffineYieldOp([iu.affine_load(view.buffer, index_map, induction)])
        with ir.InsertionPoint(op.else_block):
            affine.AffineYieldOp([iu.int_constant(view.padding, ir.IntegerType(element).width)])
        return op.results[0]

    def accumulator(self, init: ir.Value, op: ir.Operation) -> ir.Value:
        """The buffer that `op` reduces into, filled with `init`: that of `init` itself where nobody else needs it."""
        view, shape = self.view(init), iu.shape_of(init)
        owner = iu.defining_op(view.buffer)
        own = owner is not None and owner.name == "memref.alloc" and len(iu.users(init)) == 1
        if own and not view.guards and view.indices == ir.AffineMap.get_identity(len(shape)):
            return view.buffer
        buffer = self.allocate(shape, ir.ShapedType(init.type).element_type, op.location)
        self.copy(view, shape, buffer, op)
        return buffer

    def generic(self, op: ir.Operation, returned: ir.Value | None) -> None:
        maps, result = iu.affine_maps(op), op.results[0]
        init = op.operands[len(op.operands) - 1]
        block = iu.body(op)
        if iu.has_uses(block.arguments[len(op.operands) - 1]):
            buffer = self.accumulator(init, op)
        elif returned is not None:
            buffer = returned
        else:
            kind = ir.RankedTensorType(result.type)
            buffer = self.allocate(kind.shape, kind.element_type, op.location)
        target = self.views[result] = self.identity(result, buffer)
        extents = loop_extents(op)
        loops = [d for d, extent in enumerate(extents) if extent != 1]
        # A loop of one iteration is the constant 0; but a nest has one loop at least.
        with ir.InsertionPoint(op), op.location, iu.affine_loops([extents[d] for d in loops] or [1]) as inner:
            dims = [ir.AffineExpr.get_constant(0)] * len(extents)
            for place, d in enumerate(loops):
                dims[d] = ir.AffineExpr.get_dim(place)
            to_inner = ir.AffineMap.get(len(inner), 0, dims)
            maps = [ir.AffineMap.get(len(inner), 0, _compose_all(list(m.results), to_inner)) for m in maps]
            mapping: dict[ir.Value, ir.Value] = {}
            for number, argument in enumerate(block.arguments):
                if not iu.has_uses(argument):
                    continue
                operand = op.operands[number]
                if not isinstance(operand.type, ir.ShapedType):
                    mapping[argument] = operand
                    continue
                source = target if number == len(op.operands) - 1 else self.view(operand)
                mapping[argument] = self.load(source, maps[number], inner)
            iu.clone_into(iu.block_operations(block), mapping)
            value = [o.operation for o in block.operations][-1].operands[0]
            iu.affine_store(mapping.get(value, value), buffer, maps[-1], inner)

    def concat(self, op: ir.Operation, returned: ir.Value | None) -> None:
        """One nest over the result: a guarded load per part, all but the last in the `then` of an `affine.if`."""
        kind = ir.RankedTensorType(op.results[0].type)
        buffer = returned or self.allocate(kind.shape, kind.element_type, op.location)
        self.views[op.results[0]] = self.identity(op.results[0], buffer)
        axis = ir.IntegerAttr(op.attributes["dim"]).value
        rank = len(kind.shape)
        dims = [ir.AffineExpr.get_dim(d) for d in range(rank)]

        def part(number: int, start: int) -> ir.Value:
            shifted = ir.AffineMap.get(rank, 0, [d - start if d == dims[axis] else d for d in dims])
            source, end = self.view(op.operands[number]), start + iu.shape_of(op.operands[number])[axis]
            if number == len(op.operands) - 1:
                return self.load(source, shifted, induction)
            condition = ir.IntegerSet.get(rank, 0, [(end - 1) - dims[axis]], [False])
            choice = affine.AffineIfOp(condition, [kind.element_type], cond_operands=induction, has_else=True)
            with ir.InsertionPoint(choice.then_block):
                affine.AffineYieldOp([self.load(source, shifted, induction)])
            with ir.InsertionPoint(choice.else_block):
                affine.AffineYieldOp([part(number + 1, end)])
            return choice.results[0]

        with ir.InsertionPoint(op), op.location, iu.affine_loops(kind.shape) as induction:
            iu.affine_store(part(0, 0), buffer, ir.AffineMap.get_identity(rank), induction)

    def copy(self, source: View, shape: list[int], buffer: ir.Value, at: ir.Operation) -> None:
        """A nest that copies a tensor into `buffer`."""
        with ir.InsertionPoint(at), at.location, iu.affine_loops(shape) as induction:
            identity = ir.AffineMap.get_identity(len(shape))
            iu.affine_store(self.load(source, identity, induction), buffer, identity, induction)

    def run(self) -> None:
        block = iu.body(self.function)
        terminator = [o.operation for o in block.operations][-1]
        argument, result = block.arguments[0], terminator.operands[0]
        old_shape = ir.RankedTensorType(argument.type)
        result_kind = ir.RankedTensorType(result.type)
        argument.set_type(ir.MemRefType.get(old_shape.shape, old_shape.element_type))
        output = block.add_argument(
            ir.MemRefType.get(result_kind.shape, result_kind.element_type), self.function.location
        )
        self.views[argument] = View(argument, ir.AffineMap.get_identity(len(old_shape.shape)))
        ops = [o.operation for o in block.operations][:-1]
        for op in ops:
            direct = output if op.results and op.results[0] == result else None
            if op.name == "linalg.generic":
                self.generic(op, direct)
            elif op.name == "tensor.pad":
                self.views[op.results[0]] = self.pad(op)
            elif op.name in {"tensor.collapse_shape", "tensor.expand_shape"}:
                self.views[op.results[0]] = self.reshape(op)
            elif op.name == "tensor.concat":
                self.concat(op, direct)
            elif op.name not in {"tensor.empty", "arith.constant"}:
                raise PassFailure(
                    op, f"'{op.name}' cannot be bufferized", help="only what verify-integer-linalg accepts can"
                )
        view = self.view(result)
        if view.buffer != output:
            self.copy(view, iu.shape_of(result), output, terminator)
        terminator.erase()
        with ir.InsertionPoint(block), self.function.location:
            func.ReturnOp([])
        for op in reversed(ops):
            if op.name != "arith.constant" or isinstance(op.results[0].type, ir.RankedTensorType):
                iu.erase_tree(op)
        kind = ir.FunctionType.get([a.type for a in block.arguments], [])
        self.function.attributes["function_type"] = ir.TypeAttr.get(kind)


def loop_extents(op: ir.Operation) -> list[int]:
    """Trip counts of the loops of a linalg.generic."""
    extents: dict[int, int] = {}
    for index_map, operand in zip(iu.affine_maps(op), op.operands, strict=True):
        if isinstance(operand.type, ir.ShapedType):
            for expr, extent in zip(index_map.results, iu.shape_of(operand), strict=True):
                if isinstance(expr, ir.AffineDimExpr):
                    extents[expr.position] = extent
    count = len(iu.iterator_types(op))
    if len(extents) != count:
        raise PassFailure(op, "a loop whose trip count no operand shows")
    return [extents[d] for d in range(count)]


@register_pass
@dataclass(frozen=True)
class Bufferize(Pass):
    """Give every tensor a private buffer and every operation a nest of affine loops.

    Before: channels-last integer linalg. After: one `memref.alloc` per tensor, weights and biases as `memref.global`
    constants, an `affine.for` nest per operation with every access an `affine.load` or `affine.store`; the result is
    the function's last argument. Padding becomes a guard (`affine.if`) on the load, reshapes become index arithmetic:
    neither costs a nest or a buffer. Loops of one iteration are left out.
    """

    name: ClassVar[str] = "hls-bufferize"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            privatize(op)
            _Bufferizer(op, iu.public_function(op)).run()
        iu.run_upstream(op, "builtin.module(canonicalize)")
