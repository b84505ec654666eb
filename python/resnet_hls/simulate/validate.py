# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a module before and after a pass on the same images and says where they first differ. Changes no module."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.errors import UserError
from resnet_hls.passes._boundary import Grid, input_quantizers
from resnet_hls.passes._quantities import type_range
from resnet_hls.passes._registry import PassFailure
from resnet_hls.simulate.jit import Jit
from resnet_hls.simulate.probe import FeatureMap, feature_maps, result_layer

Array = NDArray[Any]
#: What memory holds before anything is stored: two numbers that differ in every bit.
_HELD = 0x5555_5555_5555_5555, -0x5555_5555_5555_5556


@dataclass(frozen=True)
class _Interface:
    """How a module takes images and gives results: element types, scales, order of the dimensions."""

    channels_last: bool
    input_shape: list[int]
    is_float: bool
    input: Grid
    output_scale: float | None
    output_zero_point: int
    output_signed: bool

    @staticmethod
    def of(module: ir.Operation) -> _Interface:
        """Reads the attributes that hls-integerize and hls-channels-last leave, or the quantizer of a float module."""
        function = iu.public_function(module)
        attributes = function.attributes
        kind = ir.FunctionType(ir.TypeAttr(attributes["function_type"]).value)
        if not kind.inputs or not isinstance(kind.inputs[0], ir.ShapedType):
            raise PassFailure(function, "expected a function of one image")
        layout = ir.StringAttr(attributes["hls.layout"]).value if "hls.layout" in attributes else ""
        image = ir.ShapedType(kind.inputs[0])
        is_float = isinstance(image.element_type, ir.FloatType)
        if is_float:
            grids = set(input_quantizers(iu.body(function).arguments[0]).values())
            if len(grids) != 1:
                raise PassFailure(function, "the input image is not quantized in one way")
            grid = grids.pop()
        try:
            if not is_float:
                grid = _grid(attributes, ir.IntegerType(image.element_type).width)
            output = ir.DictAttr(attributes["hls.output"]) if "hls.output" in attributes else {}
            scale = ir.FloatAttr(output["scale"]).value if output else None
            zero_point = ir.IntegerAttr(output["zero_point"]).value if "zero_point" in output else 0
            signed = ir.BoolAttr(output["signed"]).value if output else True
        except (KeyError, TypeError, ValueError, OverflowError):  # of another kind, or not there
            help = "they have a scale (f64) and a sign (bool); hls-integerize makes them"
            raise PassFailure(function, "hls.input or hls.output does not say what integers mean", help=help) from None
        return _Interface(layout == "nhwc", list(image.shape), is_float, grid, scale, zero_point, signed)

    def images(self, count: int, seed: int) -> Array:
        """Random integers in the range of the input quantizer: (count, *image), channels first, whatever the stage."""
        shape = self.input_shape
        if self.channels_last and len(shape) == 4:
            shape = [shape[d] for d in (0, 3, 1, 2)]
        integers = np.random.default_rng(seed).integers(self.input.lo, self.input.hi + 1, (count, *shape), np.int64)
        # Every other image is dark: small numbers saturate nothing on their way.
        integers[1::2] = np.clip(integers[1::2] // 16, self.input.lo, self.input.hi)
        return integers

    def given(self, images: Array) -> Array:
        """Images (channels first, integers) as this module takes them."""
        if self.channels_last and images.ndim == 5:
            images = images.transpose(0, 1, 3, 4, 2)
        return (
            ((images - self.input.zero_point) * float(self.input.scale)).astype(np.float32) if self.is_float else images
        )

    def canonical(self, values: Array) -> Array:
        """A batch of this module's feature maps or results, channels first."""
        return values.transpose(0, 1, 4, 2, 3) if self.channels_last and values.ndim == 5 else values


def _grid(attributes: Any, width: int) -> Grid:
    if "hls.input" not in attributes:
        return Grid(Fraction(1), True, *type_range(width, signed=True))
    given = ir.DictAttr(attributes["hls.input"])
    scale, signed = ir.FloatAttr(given["scale"]).value, ir.BoolAttr(given["signed"]).value
    lo, hi = (
        ir.IntegerAttr(given[key]).value if key in given else default
        for key, default in zip(("min", "max"), type_range(width, signed), strict=True)
    )
    zero_point = ir.IntegerAttr(given["zero_point"]).value if "zero_point" in given else 0
    if lo > hi:
        raise ValueError(f"integers from {lo} to {hi}")
    return Grid(Fraction(scale), signed, lo, hi, zero_point)


@dataclass(frozen=True)
class _Snapshot:
    """A module, as text, and its results on the images, (N, *result), channels first.

    `other`: image and element that depend on what memory held at first, if any does.
    """

    text: str
    interface: _Interface
    images: Array
    results: Array
    layer: str
    other: tuple[int, ...] | None


class Validator:
    """Compares what a module computes before and after each pass.

    Args:
        seed: of the random images.
        images: how many.

    A difference, or a module that cannot be run, is a UserError.
    """

    def __init__(self, seed: int = 0, images: int = 2) -> None:
        self._seed = seed
        self._count = images
        self._last: _Snapshot | None = None

    def before(self, module: ir.Operation) -> None:
        """Runs `module` as the next pass gets it.

        Raises:
            UserError: it cannot be run: no public function of one image, no quantizer at its input, unknown operations.
        """
        text = _text(module)
        if self._last is None or self._last.text != text:
            interface = _Interface.of(module)
            found = self._run(module, text, interface, interface.images(self._count, self._seed))
            if found.other:
                help = "store every element before it is loaded"
                raise UserError(_depends(*found.other), where=found.layer, help=help)
            self._last = found

    def after(self, pass_name: str, module: ir.Operation) -> None:
        """Runs `module` as the pass left it.

        Raises:
            UserError: the results are others than before; names the pass, the layer, the first element and both values.
        """
        before = self._last
        assert before is not None, "before() comes first"
        text = _text(module)
        if text == before.text:
            return
        self._last = None
        try:
            after = self._run(module, text, _Interface.of(module), before.images)
        except UserError as problem:
            where = f"{pass_name}: {problem.where}" if problem.where else pass_name
            raise UserError(problem.message, where=where, help=problem.help) from None
        if after.other:
            raise _changed(pass_name, after.layer, _depends(*after.other))
        self._compare(pass_name, before, after, module.context)
        self._last = after

    def _run(self, module: ir.Operation, text: str, interface: _Interface, images: Array) -> _Snapshot:
        jit = Jit(module, optimize=0, fills=True)
        given = interface.given(images)
        if given[0].size != np.prod(jit.input_shape):
            raise UserError(
                f"the image has {np.prod(jit.input_shape)} elements, {given[0].size} before", where=jit.name
            )
        runs = [jit.run(given, held) for held in _HELD]
        if not interface.output_signed:
            runs = [results.view(f"u{results.dtype.itemsize}") for results in runs]
        results, others = map(interface.canonical, runs)
        differ = np.argwhere((results != others) & ~((results != results) & (others != others)))  # NaN is NaN
        other = tuple(map(int, differ[0])) if differ.size else None
        return _Snapshot(text, interface, images, results, result_layer(module), other)

    def _compare(self, pass_name: str, before: _Snapshot, after: _Snapshot, context: ir.Context) -> None:
        old, new = before.results, after.results
        if np.issubdtype(old.dtype, np.floating) and not np.issubdtype(new.dtype, np.floating):
            units = old.astype(np.float64) / (after.interface.output_scale or 1.0) + after.interface.output_zero_point
            # A scale that is no power of two leaves the float rounding of the model's last multiplication.
            old = np.where(np.abs(units - np.rint(units)) < 2.0**-10, np.rint(units), units)
        if old[0].size != new[0].size:
            message = f"the result has {new[0].size} elements, {old[0].size} before"
            raise UserError(message, where=f"{pass_name}: {after.layer}" if after.layer else pass_name)
        shape = old.shape if old.ndim >= new.ndim else new.shape
        old, new = old.reshape(shape), new.reshape(shape)
        wrong = np.argwhere(old != new)
        if not wrong.size:
            return
        image = int(wrong[0][0])
        found = _first_layer(before, after, image, context)
        if found is None:
            found = after.layer, tuple(map(int, wrong[0][1:])), old[tuple(wrong[0])], new[tuple(wrong[0])]
        layer, index, was, now = found
        message = f"image {image}, element {list(index)} is {now:g}, was {was:g} before the pass"
        raise _changed(pass_name, layer, message)


def _changed(pass_name: str, layer: str, message: str) -> UserError:
    where = f"{pass_name}: {layer}" if layer else pass_name
    help = f"{pass_name} changed what the network computes; --print-ir-after-all shows what it left"
    return UserError(message, where=where, help=help)


def _depends(image: int, *index: int) -> str:
    return f"image {image}, element {list(index)} depends on what memory held before anything was stored in it"


def _first_layer(
    before: _Snapshot, after: _Snapshot, image: int, context: ir.Context
) -> tuple[str, tuple[int, ...], Any, Any] | None:
    """Layer, element, value before and value after of the first quantized feature map seen to differ."""
    old, new = (_maps(snapshot, image, context) for snapshot in (before, after))
    for layer, values in new.items():
        others = old.get(layer)
        if others is None or others.size != values.size:
            continue
        others = others.reshape(values.shape)
        wrong = np.argwhere(others != values)
        if wrong.size:
            place = tuple(wrong[0])
            return layer, tuple(map(int, place)), others[place], values[place]
    return None


def _maps(snapshot: _Snapshot, image: int, context: ir.Context) -> dict[str, Array]:
    """The feature maps of one image by layer, channels first; none where the module cannot be observed."""
    given = snapshot.interface.given(snapshot.images)[image]
    try:
        found: list[FeatureMap] = feature_maps(snapshot.text, given, context)
    except (UserError, ir.MLIRError):  # the difference itself is what must be reported
        return {}
    return {m.layer: snapshot.interface.canonical(m.values[None])[0] for m in found if m.layer}


def _text(module: ir.Operation) -> str:
    return str(module.get_asm(enable_debug_info=True))
