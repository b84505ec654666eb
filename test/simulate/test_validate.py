# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`--validate-each`: right passes pass, a wrong one is named with layer, element and both values."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from torch_mlir import ir

from resnet_hls import UserError
from resnet_hls import ir_utils as iu
from resnet_hls.context import make_context
from resnet_hls.opt_hooks import ValidateEach
from resnet_hls.passes import PassManager
from resnet_hls.passes._registry import Pass, register_pass
from resnet_hls.simulate.jit import Jit
from resnet_hls.simulate.validate import Validator

#: Two quantized layers on a map whose rows, columns and channels are as many, so that no shape tells the layout.
MODULE = """
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#zero = affine_map<(d0, d1, d2, d3) -> ()>
func.func @network(%image: tensor<1x3x3x3xf32>) -> tensor<1x3x3x3xf32> {
  %half = arith.constant 5.0e-01 : f32
  %quarter = arith.constant 2.5e-01 : f32
  %lo = arith.constant -1.28e+02 : f32
  %hi = arith.constant 1.27e+02 : f32
  %i = tensor.empty() : tensor<1x3x3x3xi8>
  %f = tensor.empty() : tensor<1x3x3x3xf32>
  QUANTIZE(%q0, %image, %quarter, "input")
  DEQUANTIZE(%x0, %q0, %quarter, "input")
  QUANTIZE(%q1, %x0, %half, "first/quant")
  DEQUANTIZE(%x1, %q1, %half, "first/quant")
  %sum = linalg.generic {indexing_maps = [#id, affine_map<(d0, d1, d2, d3) -> (d0, d1, d3, d2)>, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x0, %x1 : tensor<1x3x3x3xf32>, tensor<1x3x3x3xf32>) outs(%f : tensor<1x3x3x3xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x3x3x3xf32> loc("add")
  QUANTIZE(%q2, %sum, %half, "second/quant")
  DEQUANTIZE(%x2, %q2, %half, "second/quant")
  return %x2 : tensor<1x3x3x3xf32>
}
"""
_GENERIC = """{0} = linalg.generic {{indexing_maps = [#id, #id],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}}
      ins({1} : tensor<1x3x3x3x{4}>) outs({6} : tensor<1x3x3x3x{5}>) {{
  ^bb0(%v: {4}, %o: {5}):
    {7}
  }} -> tensor<1x3x3x3x{5}> loc({3})"""
_QUANTIZE = """%a = arith.divf %v, {2} : f32
    %b = math.roundeven %a : f32
    %c = arith.maximumf %b, %lo : f32
    %d = arith.minimumf %c, %hi : f32
    %e = arith.fptosi %d : f32 to i8
    linalg.yield %e : i8"""
_DEQUANTIZE = """%a = arith.sitofp %v : i8 to f32
    %b = arith.mulf %a, {2} : f32
    linalg.yield %b : f32"""


def _expand(match: re.Match[str]) -> str:
    arguments = [part.strip() for part in match[2].split(",")]
    if match[1] == "QUANTIZE":
        return _GENERIC.format(*arguments, "f32", "i8", "%i", _QUANTIZE.format(*arguments))
    return _GENERIC.format(*arguments, "i8", "f32", "%f", _DEQUANTIZE.format(*arguments))


def parse() -> ir.Module:
    return ir.Module.parse(re.sub(r"(\w*QUANTIZE)\((.*)\)", _expand, MODULE), make_context())


def run(module: ir.Module, passes: str) -> None:
    PassManager.parse(f"builtin.module({passes})").run(module, [ValidateEach(0, 2)])


@register_pass
@dataclass(frozen=True)
class Spoil(Pass):
    """Adds one where the named layer narrows its result."""

    name: ClassVar[str] = "test-spoil"
    layer: str = "first/quant"

    def run(self, op: ir.Operation) -> None:
        from torch_mlir.dialects import arith

        for narrow in iu.walk(op, "arith.trunci"):
            parent = narrow.parent.operation
            if self.layer in (iu.source_name(narrow), iu.source_name(parent)):
                with op.context, ir.InsertionPoint(narrow), narrow.location:
                    narrow.operands[0] = arith.addi(narrow.operands[0], iu.int_constant(1))


@register_pass
@dataclass(frozen=True)
class Shrink(Pass):
    """Rejected by nobody, executable by nobody: calls what does not exist."""

    name: ClassVar[str] = "test-unrunnable"

    def run(self, op: ir.Operation) -> None:
        function = iu.public_function(op)
        function.attributes["sym_visibility"] = ir.StringAttr.get("private", op.context)


LOWERING = "hls-integerize,hls-channels-last,hls-bufferize,hls-flatten-reductions,hls-fuse-loops"


def test_right_passes_pass() -> None:
    run(parse(), f"canonicalize,{LOWERING},canonicalize,cse")


@pytest.mark.parametrize("stage", range(1, 6))
@pytest.mark.parametrize("layer", ["first/quant", "second/quant"])
def test_a_wrong_pass_is_named_with_layer_element_and_values(stage: int, layer: str) -> None:
    passes = ",".join(LOWERING.split(",")[:stage])
    with pytest.raises(UserError) as caught:
        run(parse(), f'{passes},test-spoil{{layer="{layer}"}}')
    assert caught.value.where.startswith("test-spoil")
    fused = stage == 5 and layer == "first/quant"  # its feature map is gone: the next one that is seen is named
    assert f"layer '{'second/quant' if fused else layer}'" in caught.value.where
    found = re.fullmatch(
        r"image 0, element \[0, 0, 0, 0\] is (-?\d+), was (-?\d+) before the pass", caught.value.message
    )
    assert found, caught.value.message
    assert fused or int(found[1]) == int(found[2]) + 1


def test_float_results_are_compared_as_integers() -> None:
    @register_pass
    @dataclass(frozen=True)
    class WrongIntegerize(Pass):
        """Integerizes, and spoils the second layer."""

        name: ClassVar[str] = "test-wrong-integerize"

        def run(self, op: ir.Operation) -> None:
            from resnet_hls.passes.integerize import Integerize

            Integerize().run(op)
            Spoil("second/quant").run(op)

    with pytest.raises(UserError) as caught:
        run(parse(), "test-wrong-integerize")
    assert "test-wrong-integerize" in caught.value.where
    assert "layer 'second/quant'" in caught.value.where
    found = re.fullmatch(
        r"image 0, element \[0, 0, 0, 0\] is (-?\d+), was (-?\d+) before the pass", caught.value.message
    )
    assert found
    assert int(found[1]) == int(found[2]) + 1


def test_a_layout_that_no_shape_tells_is_not_mistaken() -> None:
    """Channels last without the attribute that says so is a difference."""
    module = parse()
    PassManager.parse("builtin.module(hls-integerize)").run(module)
    validator = Validator()
    validator.before(module.operation)
    PassManager.parse("builtin.module(hls-channels-last)").run(module)
    del iu.public_function(module.operation).attributes["hls.layout"]
    with pytest.raises(UserError, match="element"):
        validator.after("hls-channels-last", module.operation)


def test_unchanged_modules_are_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from resnet_hls.simulate import validate

    runs = []
    original: Callable[..., object] = validate.Validator._run

    def counted(self: Validator, *arguments: object) -> object:
        runs.append(1)
        return original(self, *arguments)

    monkeypatch.setattr(validate.Validator, "_run", counted)
    module = parse()
    validator = Validator()
    for _ in range(3):
        validator.before(module.operation)
        validator.after("nothing", module.operation)
    assert len(runs) == 1


def test_what_cannot_be_run_is_said() -> None:
    module = parse()
    with pytest.raises(UserError, match=r"expected one public func.func, found 0") as caught:
        run(module, "test-unrunnable")
    assert caught.value.where.startswith("test-unrunnable")
    empty = ir.Module.parse("func.func @f() { return }", make_context())
    with pytest.raises(UserError, match="expected a function of one image"):
        Validator().before(empty.operation)


def test_images_are_the_same_for_the_same_seed() -> None:
    module = parse()
    PassManager.parse("builtin.module(hls-integerize)").run(module)
    from resnet_hls.simulate.validate import _Interface

    interface = _Interface.of(module.operation)
    images = interface.images(4, 3)
    np.testing.assert_array_equal(images, interface.images(4, 3))
    assert images.min() >= -128
    assert images.max() <= 127
    assert np.abs(images[1::2]).max() <= 8 < np.abs(images[::2]).max()


#: Hands on what a buffer held before: with STORE zero at first, without it anything.
UNSTORED = """
#at = affine_map<(d0) -> (0, 0, 0, d0)>
func.func @network(%image: memref<1x1x1x4xi8>, %result: memref<1x1x1x4xi8>) attributes {hls.layout = "nhwc"} {
  %window = memref.alloc() : memref<1x1x1x5xi8>
  STORE
  affine.for %i = 0 to 4 {
    %new = affine.load %image[0, 0, 0, %i] : memref<1x1x1x4xi8>
    %old = affine.load %window[0, 0, 0, %i] : memref<1x1x1x5xi8>
    affine.store %new, %window[0, 0, 0, %i + 1] : memref<1x1x1x5xi8>
    affine.store %old, %result[0, 0, 0, %i] : memref<1x1x1x4xi8>
  } loc("window")
  return
}
"""
_STORE = """%zero = arith.constant 0 : i8
  affine.store %zero, %window[0, 0, 0, 0] : memref<1x1x1x5xi8>"""


def test_a_result_that_depends_on_fresh_memory_is_no_result() -> None:
    module = ir.Module.parse(UNSTORED.replace("STORE", ""), make_context())
    with pytest.raises(UserError, match=re.escape("image 0, element [0, 0, 0, 0] depends on what memory held")):
        Validator().before(module.operation)
    Validator().before(ir.Module.parse(UNSTORED.replace("STORE", _STORE), make_context()).operation)


def test_what_was_refused_is_refused_again() -> None:
    module = ir.Module.parse(UNSTORED.replace("STORE", ""), make_context())
    validator = Validator()
    for _ in range(2):
        with pytest.raises(UserError, match="depends on what memory held"):
            validator.before(module.operation)


def test_a_pass_that_loses_a_store_is_named() -> None:
    module = ir.Module.parse(UNSTORED.replace("STORE", _STORE), make_context())
    validator = Validator()
    validator.before(module.operation)
    iu.walk(module.operation, "affine.store")[0].erase()
    with pytest.raises(UserError, match="depends on what memory held") as caught:
        validator.after("test-loses", module.operation)
    assert caught.value.where.startswith("test-loses")
    assert "test-loses changed what the network computes" in caught.value.help


@pytest.mark.parametrize("element", ["i1", "i5", "i8", "i24", "i64", "f32", "f64"])
def test_memory_of_every_type_is_filled(element: str) -> None:
    """What was never stored decides whether the result is 1 or 0."""
    compare = "cmpf olt" if element[0] == "f" else "cmpi slt"
    zero = "0.0" if element[0] == "f" else "0"
    text = f"""
func.func @network(%image: memref<1xi8>, %result: memref<1xi8>) {{
  %zero = arith.constant {zero} : {element}
  %memory = memref.alloc() : memref<3x{element}>
  %value = memref.load %memory[%two] : memref<3x{element}>
  %negative = arith.{compare}, %value, %zero : {element}
  %number = arith.extui %negative : i1 to i8
  memref.store %number, %result[%none] : memref<1xi8>
  return
}}""".replace("  %zero", "  %none = arith.constant 0 : index\n  %two = arith.constant 2 : index\n  %zero", 1)
    jit = Jit(ir.Module.parse(text, make_context()).operation, 0, fills=True)
    image = np.zeros((1, 1), np.int8)
    given = {jit.run(image, held).item() for held in (0x5555, -0x5556)}
    assert given == {0, 1}


def test_memory_of_other_types_is_left_alone() -> None:
    text = UNSTORED.replace(
        "STORE", f"%a = memref.alloc() : memref<3xui8>\n  %b = memref.alloc() : memref<3xindex>\n{_STORE}"
    )
    Validator().before(ir.Module.parse(text, make_context()).operation)


def test_memory_of_more_than_64_bits_an_element_is_refused() -> None:
    """MLIR's lowering takes too little for it: the heap was corrupted."""
    text = UNSTORED.replace("STORE", "%wide = memref.alloc() : memref<3xi80>")
    with pytest.raises(UserError, match="cannot execute the module: memory of i80"):
        Jit(ir.Module.parse(text, make_context()).operation, 0)
