# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-narrow-integers on matrix products with extreme weights: the same integers as before, and no bit too many.

The images are the worst ones: for each output and each number of products, those that make the sum of so many products
as large, and as small, as it can be.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch_mlir import ir

from resnet_hls import ir_utils as iu
from resnet_hls.analysis.intervals import bits_of
from resnet_hls.context import make_context
from resnet_hls.passes import PassManager
from resnet_hls.simulate.jit import Jit

MODULE = """
memref.global "private" constant @weight : memref<{groups}x{outputs}x{lanes}xi8> = dense<{weight}>
memref.global "private" constant @bias : memref<{outputs}xi32> = dense<{bias}>
func.func @product(%image: memref<{images}x{groups}x{lanes}xi8>, %result: memref<{images}x{outputs}xi8>) {{
  "hls.dataflow"() ({{
    %in = "hls.fifo"() {{depth = 2 : i64, sym_name = "in"}} : () -> !hls.stream<vector<{lanes}xi8>>
    %out = "hls.fifo"() {{depth = 2 : i64, sym_name = "out"}} : () -> !hls.stream<vector<1xi8>>
    "hls.source"(%image, %in) : (memref<{images}x{groups}x{lanes}xi8>, !hls.stream<vector<{lanes}xi8>>) -> ()
    "hls.task"() ({{
      %word = memref.alloc() : memref<{lanes}xi8>
      %accumulator = memref.alloc() {{hls.name = "accumulator"}} : memref<{outputs}xi32>
      %sum = memref.alloc() : memref<i32>
      %result_word = memref.alloc() : memref<1xi8>
      %weight = memref.get_global @weight : memref<{groups}x{outputs}x{lanes}xi8>
      %bias = memref.get_global @bias : memref<{outputs}xi32>
      %zero = arith.constant 0 : i32
      %one = arith.constant 1 : i32
      %half = arith.constant {half} : i32
      %shift = arith.constant {shift} : i32
      %least = arith.constant {least} : i32
      %most = arith.constant {most} : i32
      affine.for %n = 0 to {images} {{
        affine.for %i = 0 to {groups} {{
          affine.for %o = 0 to {outputs} {{
            affine.if affine_set<(d) : (d == 0)>(%o) {{
              "hls.read"(%in, %word) : (!hls.stream<vector<{lanes}xi8>>, memref<{lanes}xi8>) -> ()
            }}
            affine.if affine_set<(d) : (d == 0)>(%i) {{
              %b = affine.load %bias[%o] : memref<{outputs}xi32>
              affine.store %b, %accumulator[%o] : memref<{outputs}xi32>
            }}
            affine.store %zero, %sum[] : memref<i32>
            affine.for %l = 0 to {lanes} {{
              %0 = affine.load %word[%l] : memref<{lanes}xi8>
              %1 = affine.load %weight[%i, %o, %l] : memref<{groups}x{outputs}x{lanes}xi8>
              %2 = arith.{extend} %0 : i8 to i32
              %3 = arith.extsi %1 : i8 to i32
              %4 = arith.muli %2, %3 : i32
              %5 = affine.load %sum[] : memref<i32>
              %6 = arith.addi %5, %4 : i32
              affine.store %6, %sum[] : memref<i32>
            }} {{hls.unroll = {lanes} : i64}}
            %7 = affine.load %accumulator[%o] : memref<{outputs}xi32>
            %8 = affine.load %sum[] : memref<i32>
            %9 = arith.addi %7, %8 : i32
            affine.store %9, %accumulator[%o] : memref<{outputs}xi32>
            affine.if affine_set<(d) : (d - {last} == 0)>(%i) {{
              %10 = affine.load %accumulator[%o] : memref<{outputs}xi32>
              %11 = arith.shrsi %10, %shift : i32
              %12 = arith.andi %11, %one : i32
              %13 = arith.addi %10, %half : i32
              %14 = arith.addi %13, %12 : i32
              %15 = arith.shrsi %14, %shift : i32
              %16 = arith.maxsi %15, %least : i32
              %17 = arith.minsi %16, %most : i32
              %18 = arith.trunci %17 : i32 to i8
              affine.store %18, %result_word[0] : memref<1xi8>
              "hls.write"(%result_word, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()
            }}
          }} {{hls.pipeline}}
        }}
      }}
    }}) {{sym_name = "product"}} : () -> ()
    "hls.sink"(%out, %result) : (memref_stream) -> ()
  }}) : () -> ()
  return
}}
"""
MODULE = MODULE.replace("(memref_stream)", "(!hls.stream<vector<1xi8>>, memref<{images}x{outputs}xi8>)")


def worst_images(weight: Any, signed: bool) -> Any:
    """(2 x outputs x lengths, groups, lanes): each makes the first so many products of an output extreme."""
    groups, outputs, lanes = weight.shape
    least, most = (-128, 127) if signed else (0, 255)
    flat = weight.transpose(1, 0, 2).reshape(outputs, -1).astype(np.int64)
    found = []
    for row in flat:
        for length in range(1, flat.shape[1] + 1):
            up = np.where(np.arange(flat.shape[1]) < length, np.where(row > 0, most, least), 0)
            down = np.where(np.arange(flat.shape[1]) < length, np.where(row > 0, least, most), 0)
            found += [up, down]
    return np.array(found).reshape(-1, groups, lanes)


def least_bits(weight: Any, bias: Any, signed: bool) -> int:
    """Of an accumulator that holds the bias, and every sum after it."""
    least, most = (-128, 127) if signed else (0, 255)
    weights = weight.astype(np.int64)
    up = np.maximum(weights * most, weights * least).sum(axis=2)  # a step adds its lanes at once
    down = np.minimum(weights * most, weights * least).sum(axis=2)
    sums = [bias, *(bias + np.cumsum(up, axis=0)), *(bias + np.cumsum(down, axis=0))]
    return bits_of(int(np.min(sums)), int(np.max(sums)))


extreme = st.sampled_from([-128, -127, -1, 0, 1, 127]) | st.integers(-128, 127)


@settings(max_examples=30)
@given(
    weight=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)).flatmap(
        lambda shape: arrays(np.int8, shape, elements=extreme)
    ),
    data=st.data(),
    signed=st.booleans(),
    shift=st.integers(1, 12),
    bounds=st.sampled_from([(-128, 127), (0, 127), (0, 255), (-8, 7)]),
)
def test_extreme_weights(weight: Any, data: st.DataObject, signed: bool, shift: int, bounds: tuple[int, int]) -> None:
    groups, outputs, lanes = weight.shape
    ends = st.sampled_from([0, 2**15 - 1, -(2**15), 2**24, -(2**24) - 1]) | st.integers(-1000, 1000)
    bias = data.draw(arrays(np.int32, (outputs,), elements=ends))
    images = worst_images(weight, signed)
    text = MODULE.format(
        images=len(images), groups=groups, outputs=outputs, lanes=lanes, last=groups - 1, shift=shift,
        half=2 ** (shift - 1) - 1, least=bounds[0], most=bounds[1], extend="extsi" if signed else "extui",
        weight=weight.tolist(), bias=bias.tolist(),
    )  # fmt: skip
    module = ir.Module.parse(text, make_context())
    given_images = images.astype(np.uint8).view(np.int8)[None]
    before = Jit(module.operation, optimize=0).run(given_images)
    PassManager.parse("builtin.module(hls-narrow-integers)").run(module)
    np.testing.assert_array_equal(Jit(module.operation, optimize=0).run(given_images), before)
    (accumulator,) = [op for op in iu.walk(module.operation, "memref.alloc") if "hls.name" in op.attributes]
    bits = ir.IntegerType(ir.MemRefType(accumulator.results[0].type).element_type).width
    assert bits == max(9, least_bits(weight, bias, signed))
