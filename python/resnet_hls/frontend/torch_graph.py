# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An exported PyTorch graph brought to the few operators that the quantizer and the importer know.

After :func:`normalize` a graph has only ``conv2d``, ``batch_norm`` (training only), ``relu``, ``hardtanh``, ``add``,
``cat``, ``avg_pool2d``, ``max_pool2d`` and ``view``, works for any batch size, and no operator writes its operand. A
linear layer is a convolution whose kernel covers its input. None of the changes alters a value.

Importing this module imports PyTorch.
"""

from __future__ import annotations

from typing import cast

from torch import fx

from resnet_hls.frontend.torch_nodes import (
    ACTIVATIONS,
    LAYERS,
    RESHAPES,
    aten,
    new_call,
    only_user,
    operator_name,
    shape,
    unsupported,
)
from resnet_hls.frontend.torch_operators import RULES

_REMOVED = {
    aten.dropout.default,
    aten.dropout_.default,
    aten.feature_dropout.default,
    aten.contiguous.default,
    aten.clone.default,
    aten.alias.default,
    aten.detach.default,
    aten.detach_.default,
    aten.lift_fresh_copy.default,
}
_IN_PLACE = {
    aten.relu_.default: aten.relu.default,
    aten.relu6_.default: aten.relu6.default,
    aten.hardtanh_.default: aten.hardtanh.default,
    aten.clamp_.default: aten.clamp.default,
    aten.clamp_min_.default: aten.clamp_min.default,
    aten.add_.Tensor: aten.add.Tensor,
}
_RESHAPING = {
    aten.view.default,
    aten.reshape.default,
    aten.flatten.using_ints,
    aten.squeeze.default,
    aten.squeeze.dim,
    aten.squeeze.dims,
    aten.unsqueeze.default,
    aten.unflatten.int,
}


def normalize(model: fx.GraphModule) -> fx.GraphModule:
    """Rewrite ``model`` in place as the module documentation says, and return it.

    Raises:
        UserError: for a form of an operator that is not supported; it names the module path.
    """
    graph = model.graph
    for node in list(graph.nodes):
        if node.op == "call_module" and str(node.target) == "_guards_fn":
            graph.erase_node(node)
        elif node.op == "call_function":
            _separate_write(node)
            _normalize_node(node)
    for node in list(graph.nodes):
        if node.target == aten.linear.default:
            _linear_to_conv(node)
    _split_shared_biases(graph)
    for node in list(graph.nodes):
        if node.target in RESHAPES:
            _sink_reshape(node)
    graph.eliminate_dead_code()
    graph.lint()
    model.recompile()
    return model


def _normalize_node(node: fx.Node) -> None:
    if node.target in _REMOVED:
        if operator_name(node).endswith("dropout") and node.args[2]:
            raise unsupported(node, "training=True")
        node.replace_all_uses_with(node.all_input_nodes[0])
        node.graph.erase_node(node)
    elif node.target in _RESHAPING:
        # The batch extent is left open: the graph was exported for one image.
        source, result = shape(node.all_input_nodes[0]), shape(node)
        if len(result) < 2 or source[0] != result[0]:
            raise unsupported(node, f"a change of the batch dimension, {source} to {result}")
        node.target, node.args, node.kwargs = aten.view.default, (node.args[0], [-1, *result[1:]]), {}
    elif (rule := RULES.get(node.target)) is not None:
        rule(node)


def _linear_to_conv(node: fx.Node) -> None:
    """A linear layer over flattened (C, H, W) is a convolution with an H x W kernel; over C values, with a 1x1 one."""
    source, weight = cast("tuple[fx.Node, fx.Node]", node.args[:2])
    bias = node.args[2] if len(node.args) > 2 else None
    if len(shape(source)) != 2:
        raise unsupported(node, f"an input of {len(shape(source))} dimensions")
    image = source.all_input_nodes[0] if source.target in RESHAPES else source
    outputs = shape(weight)[0]
    with node.graph.inserting_before(node):
        if len(shape(image)) != 4:
            image = new_call(node, aten.view.default, source, [-1, shape(source)[1], 1, 1])
        kernel = new_call(node, aten.view.default, weight, [outputs, *shape(image)[1:]])
        conv = new_call(node, aten.conv2d.default, image, kernel, bias, [1, 1], [0, 0], [1, 1], 1)
        view = new_call(node, aten.view.default, conv, [-1, outputs])
    node.replace_all_uses_with(view)
    node.graph.erase_node(node)


def _sink_reshape(node: fx.Node) -> None:
    """Move a reshape behind the activations that follow it, and let it cancel with the reshapes there."""
    source = node.all_input_nodes[0]
    if source.op == "get_attr":
        return
    if source.target in RESHAPES:
        node.update_arg(0, source := source.all_input_nodes[0])
    if shape(source) == shape(node):
        node.replace_all_uses_with(source)
    elif (user := only_user(node)) is not None and user.target in ACTIVATIONS:
        user.update_arg(0, source)
        with node.graph.inserting_after(user):
            view = new_call(user, aten.view.default, user, node.args[1])
        user.replace_all_uses_with(view, delete_user_cb=lambda reader: reader is not view)
        user.meta["val"] = source.meta["val"]
        _sink_reshape(view)


def _separate_write(node: fx.Node) -> None:
    """Replace an operator that writes its operand by the one that does not; later readers get the result."""
    if node.target not in _IN_PLACE:
        return
    written = node.all_input_nodes[0]
    if written.op == "get_attr":
        return  # the counter of a batch norm
    if written.target in _RESHAPING and len(written.all_input_nodes[0].users) > 1:
        raise unsupported(node, "a write into a view that others read")
    node.target = _IN_PLACE[node.target]
    position = {other: index for index, other in enumerate(node.graph.nodes)}
    for user in list(written.users):
        if position[user] > position[node]:
            user.replace_input_with(written, node)


def _split_shared_biases(graph: fx.Graph) -> None:
    """A bias has its layer's scale: give each layer its own reference to a bias that several share."""
    for node in list(graph.nodes):
        bias = node.args[2] if node.target in LAYERS else None
        if isinstance(bias, fx.Node) and len(bias.users) > 1:
            with graph.inserting_before(node):
                node.update_arg(2, graph.node_copy(bias))
