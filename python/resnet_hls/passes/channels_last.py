# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-channels-last: feature maps in the order in which a streaming accelerator sees them.

Changes layouts, never values.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.ir_utils import dims_of
from resnet_hls.passes._registry import Pass, PassFailure, register_pass

#: Order of the dimensions of a convolution's weights: output channel, input channel, row, column -> row, column,
#: input, output.
_FILTER_ORDER = [2, 3, 1, 0]


def is_copy(op: ir.Operation) -> bool:
    """A generic that only moves elements: a transposition or broadcast."""
    return (
        op.name == "linalg.generic"
        and len(op.operands) == 2
        and [o.operation.name for o in iu.body(op).operations] == ["linalg.yield"]
        and iu.body(op).operations[0].operation.operands[0] == iu.body(op).arguments[0]
    )


def is_transposition(op: ir.Operation) -> bool:
    return is_copy(op) and all(m.is_permutation for m in iu.affine_maps(op))


def _inverse(index_map: ir.AffineMap) -> ir.AffineMap:
    positions = [0] * index_map.n_dims
    for place, expr in enumerate(index_map.results):
        positions[ir.AffineDimExpr(expr).position] = place
    return ir.AffineMap.get_permutation(positions)


def _compose(outer: ir.AffineMap, inner: ir.AffineMap) -> ir.AffineMap:
    """outer after inner."""
    return ir.AffineMap.get(inner.n_dims, 0, [expr.compose(inner) for expr in outer.results])


def set_maps(op: ir.Operation, maps: list[ir.AffineMap]) -> None:
    op.attributes["indexing_maps"] = ir.ArrayAttr.get([ir.AffineMapAttr.get(m) for m in maps])


def in_result_order(op: ir.Operation, maps: list[ir.AffineMap]) -> list[ir.AffineMap]:
    """Maps of an elementwise generic with its loops reordered to those of its result; of others `maps` as they are."""
    if set(iu.iterator_types(op)) != {"parallel"} or not maps[-1].is_permutation:
        return maps
    inverse = _inverse(maps[-1])
    return [_compose(index_map, inverse) for index_map in maps]


def fold_transpositions(module: ir.Operation) -> None:
    """Makes users of a transposed tensor read its source.

    Of a constant a transposed constant, else through their maps.
    """
    constants = iu.ConstantReader(module)
    for op in iu.walk(module, "linalg.generic"):
        if not is_transposition(op):
            continue
        source, result = op.operands[0], op.results[0]
        reading, writing = iu.affine_maps(op)
        array = constants.value(source)
        through = _compose(reading, _inverse(writing))
        if array is not None:
            order = [ir.AffineDimExpr(e).position for e in through.results]
            axes = [order.index(axis) for axis in range(array.ndim)]
            with ir.InsertionPoint(op), op.location:
                result.replace_all_uses_with(iu.tensor_constant(np.ascontiguousarray(array.transpose(axes))))
            op.erase()
            continue
        for use in list(result.uses):
            user, number = use.owner.operation, use.operand_number
            if user.name == "linalg.generic" and number < len(user.operands) - 1:
                maps = iu.affine_maps(user)
                maps[number] = _compose(through, maps[number])
                user.operands[number] = source
                set_maps(user, maps)
        iu.erase_if_unused(op)


def privatize(module: ir.Operation) -> None:
    """A private `tensor.empty`, and a private initial value, per use: no two results may share memory by accident."""
    for op in reversed(iu.walk(module, "linalg.generic")):
        uses = list(op.results[0].uses)
        inits = [use for use in uses if _is_init(use)]
        if len(uses) > 1:
            _give_copies(op, inits[1:] if len(inits) == len(uses) else inits)
    for op in iu.walk(module, "tensor.empty"):
        _give_copies(op, list(op.results[0].uses)[1:])


def _is_init(use: ir.OpOperand) -> bool:
    user = use.owner.operation
    return bool(user.name == "linalg.generic" and use.operand_number == len(user.operands) - 1)


def _give_copies(op: ir.Operation, uses: list[ir.OpOperand]) -> None:
    for use in uses:
        with ir.InsertionPoint(use.owner.operation):
            use.owner.operation.operands[use.operand_number] = op.clone().results[0]


def channel_positions(function: ir.Operation) -> dict[ir.Value, int]:
    """The channel dimension of every feature map (tensor of rank 4).

    Found from the maps of the operations that touch it.
    """
    block = iu.body(function)
    channel: dict[ir.Value, int] = {a: 1 for a in block.arguments if len(iu.shape_of(a)) == 4}
    for op in (o.operation for o in block.operations):
        if op.name in {"tensor.pad", "tensor.concat"} and op.operands[0] in channel:
            channel[op.results[0]] = channel[op.operands[0]]
        elif op.name == "linalg.generic" and len(iu.shape_of(op.results[0])) == 4:
            maps, result = iu.affine_maps(op), op.results[0]
            # Loops that walk the channel: the plain dimension at the channel's place of an operand, when it is
            # parallel …
            source = next((i for i, v in enumerate(list(op.operands)[:-1]) if v in channel), None)
            written = [ir.AffineDimExpr(e).position for e in maps[-1].results if isinstance(e, ir.AffineDimExpr)]
            if source is None:
                broadcast = iu.affine_maps(op)[0].results if len(op.operands) > 1 else []
                loops = [ir.AffineDimExpr(e).position for e in broadcast if isinstance(e, ir.AffineDimExpr)]
                if len(loops) == 1:
                    channel[result] = written.index(loops[0])
                continue
            expression = maps[source].results[channel[op.operands[source]]]
            loop = ir.AffineDimExpr(expression).position if isinstance(expression, ir.AffineDimExpr) else -1
            if loop not in written:
                # … else (a convolution reduces over it) the one result dimension that the operand doesn't know.
                known = {d for e in maps[source].results for d in dims_of(e)}
                fresh = [d for d in written if d not in known]
                if len(fresh) != 1:
                    raise PassFailure(op, "cannot tell which dimension of the result is the channel")
                loop = fresh[0]
            channel[result] = written.index(loop)
            channel[op.operands[len(op.operands) - 1]] = channel[result]
    for op in (o.operation for o in block.operations):  # initial values without an operand
        if op.name == "linalg.generic" and op.results[0] in channel:
            channel[op.operands[len(op.operands) - 1]] = channel[op.results[0]]
    for op in reversed([o.operation for o in block.operations]):
        if op.name == "linalg.generic" and op.results[0] in channel:
            channel.setdefault(op.operands[len(op.operands) - 1], channel[op.results[0]])
    return channel


@register_pass
@dataclass(frozen=True)
class ChannelsLast(Pass):
    """Bring feature maps to channels-last order, constants transposed at compile time.

    Before and after: integer linalg. A feature map `N x C x H x W` becomes `N x H x W x C`, weights `F x C x KH x KW`
    become `KH x KW x C x F`, and the indexing maps follow; transpositions disappear into the maps of their users.
    Which dimension is the channel is read off the maps.
    """

    name: ClassVar[str] = "hls-channels-last"

    def run(self, op: ir.Operation) -> None:
        with op.context:
            self._run(op)

    def _run(self, module: ir.Operation) -> None:
        function = iu.public_function(module)
        fold_transpositions(module)
        privatize(module)
        channel = channel_positions(function)
        constants = iu.ConstantReader(module)
        orders: dict[ir.Value, list[int]] = {}
        for value, position in channel.items():
            if position != 3:
                orders[value] = [d for d in range(4) if d != position] + [position]
        for op in iu.walk(function, "tensor.collapse_shape"):
            if op.operands[0] in orders:
                self._reorder_classifier(op, orders[op.operands[0]], constants)
        filters = self._filters(function, constants)
        for value, order in list(orders.items()):
            array = constants.value(value)
            if array is not None:
                orders[self._transposed(value, array, order)] = order
                continue
            kind = ir.RankedTensorType(value.type)
            value.set_type(ir.RankedTensorType.get([kind.shape[d] for d in order], kind.element_type))
        for op in iu.walk(function, "linalg.generic"):
            maps = iu.affine_maps(op)
            for number, operand in enumerate(op.operands):
                if operand in orders or operand in filters:
                    order = orders.get(operand, _FILTER_ORDER)
                    maps[number] = ir.AffineMap.get(maps[number].n_dims, 0, [maps[number].results[d] for d in order])
            set_maps(op, in_result_order(op, maps))
        for old, new in filters.items():
            old.replace_all_uses_with(new)
        for op in iu.walk(function, "tensor.pad"):
            if op.results[0] in orders:
                for name in ("static_low", "static_high"):
                    amounts = list(ir.DenseI64ArrayAttr(op.attributes[name]))
                    op.attributes[name] = ir.DenseI64ArrayAttr.get([amounts[d] for d in orders[op.results[0]]])
        for op in iu.walk(function, "tensor.concat"):
            if op.results[0] in orders:
                dim = ir.IntegerAttr(op.attributes["dim"]).value
                i64 = ir.IntegerType.get_signless(64)
                op.attributes["dim"] = ir.IntegerAttr.get(i64, orders[op.results[0]].index(dim))
        terminator = [o.operation for o in iu.body(function).operations][-1]
        inputs = [argument.type for argument in iu.body(function).arguments]
        kind = ir.FunctionType.get(inputs, [value.type for value in terminator.operands])
        function.attributes["function_type"] = ir.TypeAttr.get(kind)
        function.attributes["hls.layout"] = ir.StringAttr.get("nhwc")
        iu.run_upstream(module, "builtin.module(canonicalize)")

    def _transposed(self, value: ir.Value, array: iu.IntegerArray, order: list[int]) -> ir.Value:
        """A constant feature map in the new order, in the place of `value`."""
        op = iu.defining_op(value)
        assert op is not None
        with ir.InsertionPoint(op), op.location:
            constant = iu.tensor_constant(np.ascontiguousarray(array.transpose(order)))
        value.replace_all_uses_with(constant)
        return constant

    def _filters(self, function: ir.Operation, constants: iu.ConstantReader) -> dict[ir.Value, ir.Value]:
        """New constants for the weights of rank 4."""
        filters: dict[ir.Value, ir.Value] = {}
        for op in iu.walk(function, "linalg.generic"):
            if len(op.operands) != 3 or op.operands[1] in filters or len(iu.shape_of(op.operands[1])) != 4:
                continue
            array = constants.value(op.operands[1])
            first = iu.affine_maps(op)[1].results[0]
            if array is None or iu.iterator_types(op)[ir.AffineDimExpr(first).position] != "parallel":
                continue
            source = iu.defining_op(op.operands[1])
            assert source is not None
            with ir.InsertionPoint(source), source.location:
                transposed = np.ascontiguousarray(array.transpose(_FILTER_ORDER))
                filters[op.operands[1]] = iu.tensor_constant(transposed)
        return filters

    def _reorder_classifier(self, op: ir.Operation, order: list[int], constants: iu.ConstantReader) -> None:
        """A flattened feature map changes the order of its elements.

        So must the rows of the weights that multiply it.
        """
        shape = iu.shape_of(op.operands[0])
        if sum(extent != 1 for extent in shape) <= 1:
            return
        size = int(np.prod(shape))
        if iu.shape_of(op.results[0]) != [1, size]:
            raise PassFailure(
                op, "a reshape of a feature map other than flattening", help="flatten to one vector of features"
            )
        new_to_old = np.arange(size).reshape(shape).transpose(order).reshape(-1)
        for use in list(op.results[0].uses):
            user = use.owner.operation
            array = (
                constants.value(user.operands[1]) if user.name == "linalg.generic" and len(user.operands) == 3 else None
            )
            if array is None:
                raise PassFailure(op, "a flattened feature map that is used by something else than a matrix product")
            maps = iu.affine_maps(user)
            axis = list(maps[1].results).index(maps[0].results[1])
            with ir.InsertionPoint(user), user.location:
                user.operands[1] = iu.tensor_constant(np.ascontiguousarray(np.take(array, new_to_old, axis)))
