# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""hls-pack-dsp on random tasks: the same integers before and after, for random and for extreme operands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from torch_mlir import ir

from resnet_hls.context import make_context
from resnet_hls.ir_utils import walk
from resnet_hls.passes import PassManager
from resnet_hls.simulate.jit import Jit

STEPS = 3


@dataclass(frozen=True)
class Sum:
    """Lanes of a step: `outputs` sums of `taps` products with what each pixel of `pixels` holds."""

    outputs: int
    pixels: int
    taps: int
    unsigned: bool
    fabric: int
    weights: tuple[int, ...]

    def text(self) -> str:
        lanes, results = self.pixels * self.taps, self.outputs * self.pixels
        weights = np.array(self.weights).reshape(self.outputs, self.taps).tolist()
        return f"""
          memref.global "private" constant @w : memref<{self.outputs}x{self.taps}xi8> = dense<{weights}>
          func.func @f(%image: memref<{STEPS}x{lanes}xi8>, %result: memref<{STEPS}x{results}xi32>) {{
            "hls.dataflow"() ({{
              %in = "hls.fifo"() {{depth = 2 : i64, sym_name = "in"}} : () -> !hls.stream<vector<{lanes}xi8>>
              %out = "hls.fifo"() {{depth = 2 : i64, sym_name = "out"}} : () -> !hls.stream<vector<{results}xi32>>
              "hls.source"(%image, %in) : (memref<{STEPS}x{lanes}xi8>, !hls.stream<vector<{lanes}xi8>>) -> ()
              "hls.task"() ({{
                %word = memref.alloc() : memref<{lanes}xi8>
                %results = memref.alloc() : memref<{self.outputs}x{self.pixels}xi32>
                %total = memref.alloc() : memref<i32>
                %weight = memref.get_global @w : memref<{self.outputs}x{self.taps}xi8>
                %zero = arith.constant 0 : i32
                affine.for %x = 0 to {STEPS} {{
                  "hls.read"(%in, %word) : (!hls.stream<vector<{lanes}xi8>>, memref<{lanes}xi8>) -> ()
                  affine.for %o = 0 to {self.outputs} {{
                    affine.for %p = 0 to {self.pixels} {{
                      affine.store %zero, %total[] : memref<i32>
                      affine.for %i = 0 to {self.taps} {{
                        %0 = affine.load %word[%p * {self.taps} + %i] : memref<{lanes}xi8>
                        %1 = affine.load %weight[%o, %i] : memref<{self.outputs}x{self.taps}xi8>
                        %2 = arith.ext{"u" if self.unsigned else "s"}i %0 : i8 to i32
                        %3 = arith.extsi %1 : i8 to i32
                        %4 = arith.muli %2, %3 : i32
                        %5 = affine.load %total[] : memref<i32>
                        %6 = arith.addi %5, %4 : i32
                        affine.store %6, %total[] : memref<i32>
                      }} {{hls.unroll = {self.taps} : i64}}
                      %7 = affine.load %total[] : memref<i32>
                      affine.store %7, %results[%o, %p] : memref<{self.outputs}x{self.pixels}xi32>
                    }} {{hls.unroll = {self.pixels} : i64}}
                  }} {{hls.unroll = {self.outputs} : i64}}
                  "hls.write"(%results, %out) : (memref<{self.outputs}x{self.pixels}xi32>,
                                                 !hls.stream<vector<{results}xi32>>) -> ()
                }} {{hls.pipeline}}
              }}) {{hls.fabric = {self.fabric} : i64, sym_name = "task"}} : () -> ()
              "hls.sink"(%out, %result) : (!hls.stream<vector<{results}xi32>>, memref<{STEPS}x{results}xi32>) -> ()
            }}) : () -> ()
            return
          }}"""

    def expected(self, words: np.ndarray) -> np.ndarray:
        """The sums, (images, STEPS, results), of words (images, STEPS, lanes)."""
        numbers = words.view(np.uint8 if self.unsigned else np.int8).astype(np.int64)
        numbers = numbers.reshape(*words.shape[:2], self.pixels, self.taps)
        weights = np.array(self.weights).reshape(self.outputs, self.taps)
        return np.einsum("nspi,oi->nsop", numbers, weights).reshape(*words.shape[:2], -1)


#: Weights of all magnitudes: bytes, their extremes alone, four bits.
_WEIGHTS = st.sampled_from([st.integers(-128, 127), st.sampled_from([-128, 127]), st.just(-128), st.integers(-7, 7)])


@st.composite
def sums(draw: st.DrawFn) -> Sum:
    outputs, pixels, taps = (draw(st.integers(1, most)) for most in (5, 3, 19))
    weights = draw(st.lists(draw(_WEIGHTS), min_size=outputs * taps, max_size=outputs * taps))
    return Sum(outputs, pixels, taps, draw(st.booleans()), draw(st.integers(0, taps // 2)), tuple(weights))


@settings(max_examples=30, deadline=None)
@given(sums(), st.integers(1, 20), st.integers(1, 4), st.sampled_from(["ultrascale+", "7series"]), st.integers(0, 99))
def test_random_sums(task: Sum, max_chain: int, lanes: int, family: str, seed: int) -> None:
    """Every image is exact: random bytes, and all activations at an extreme."""
    random = np.random.default_rng(seed).integers(-128, 128, (2, STEPS, task.pixels * task.taps))
    words = np.concatenate([random, np.full_like(random[:1], -128), np.full_like(random[:1], 127)]).astype(np.int8)
    words[1] = np.where(words[1] < 0, -128, 127)
    context = make_context()
    with context, ir.Location.unknown():
        module = ir.Module.parse(task.text())
        options = f"max-chain={max_chain} lanes={lanes} family={family}"
        PassManager.parse(f"builtin.module(hls-pack-dsp{{{options}}},verify-dataflow)").run(module)
        got = Jit(module.operation, optimize=0).run(words)
        if task.fabric == 0 and max(task.outputs, task.pixels) > 1 and lanes == 2 and family == "ultrascale+":
            assert walk(module.operation, "hls.pack"), "two bytes always fit a slice of 27 bits"
        fabric = [op for op in walk(module.operation, "arith.muli") if "hls.multiplier" in op.attributes]
        assert bool(fabric) == (task.fabric > 0)
    np.testing.assert_array_equal(got.reshape(len(words), STEPS, -1), task.expected(words))
