# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The resource model, against what one counts by hand in small tasks."""

from __future__ import annotations

import pytest
from torch_mlir import ir

from resnet_hls.analysis import costs
from resnet_hls.analysis.costs import Resources
from resnet_hls.analysis.resources import TaskResources, stream_resources, task_resources
from resnet_hls.analysis.tasks import Task
from resnet_hls.context import make_context
from resnet_hls.ir_utils import walk


def resources(arrays: str, body: str, extents: tuple[int, int] = (4, 4), family: str = "ultrascale+") -> TaskResources:
    """What a task takes that does `body` in a pipelined loop over %x in one over %y, at 250 MHz.

    Each of `arrays` is NAME: TYPE STORAGE [LANES [BANKED...]], one a line; TYPE is that of a memref's element with its
    shape. A name that begins with "rom" is a constant.
    """
    lines, globals_, storage = [], [], []
    for array in filter(None, map(str.strip, arrays.splitlines())):
        name, kind, place, *rest = array.replace(":", " ").split()
        if name.startswith("rom"):
            globals_.append(f'memref.global "private" constant @{name} : memref<{kind}> = dense<1>')
            lines.append(f"%{name} = memref.get_global @{name} : memref<{kind}>")
        else:
            lanes, banked = (rest[0], ", ".join(rest[1:])) if rest else ("0", "")
            marks = f"hls.lanes = {lanes} : i64, hls.partition = [{banked}]"
            lines.append(f"%{name} = memref.alloc() {{{marks}}} : memref<{kind}>")
        storage.append((f"%{name} =", place))
    newline = "\n"
    text = f"""
      {newline.join(globals_)}
      func.func @f() {{
        %in = "hls.fifo"() {{depth = 2 : i64, sym_name = "in"}} : () -> !hls.stream<vector<4xi8>>
        %out = "hls.fifo"() {{depth = 2 : i64, sym_name = "out"}} : () -> !hls.stream<vector<1xi8>>
        "hls.task"() ({{
          {newline.join(lines)}
          %zero = arith.constant 0 : i32
          %zero8 = arith.constant 0 : i8
          affine.for %y = 0 to {extents[0]} {{
            affine.for %x = 0 to {extents[1]} {{
              {body}
            }} {{hls.pipeline, hls.depth = 4 : i64}}
          }}
        }}) {{sym_name = "task"}} : () -> ()
        return
      }}"""
    with make_context():
        module = ir.Module.parse(text)
        (task,) = walk(module.operation, "hls.task")
        found = walk(task, "memref.alloc", "memref.get_global")
        places = {op.results[0]: place for op, (_, place) in zip(found, storage, strict=True)}
        return task_resources(Task(task), places, family)


READ = '"hls.read"(%in, %word) : (!hls.stream<vector<4xi8>>, memref<4xi8>) -> ()'
WRITE = '"hls.write"(%result, %out) : (memref<1xi8>, !hls.stream<vector<1xi8>>) -> ()'
#: Eight weights for each of four inputs and two outputs, of which a step takes all lanes.
PRODUCTS = """
  word: 4xi8 register
  rom_weight: 16x2x4xi8 rom_lutram
  sum: 2xi32 register
  result: 1xi8 register
"""


def multiply(kind: str = "", bits: int = 8) -> str:
    return f"""
      {READ}
      affine.for %lane = 0 to 2 {{
        affine.store %zero, %sum[%lane] : memref<2xi32>
        affine.for %tap = 0 to 4 {{
          %a = affine.load %word[%tap] : memref<4xi8>
          %w = affine.load %rom_weight[%y * 4 + %x, %lane, %tap] : memref<16x2x4xi{bits}>
          %left = arith.extsi %a : i8 to i32
          %right = arith.extsi %w : i{bits} to i32
          %product = arith.muli %left, %right {kind} : i32
          %old = affine.load %sum[%lane] : memref<2xi32>
          %new = arith.addi %old, %product : i32
          affine.store %new, %sum[%lane] : memref<2xi32>
        }} {{hls.unroll = 4 : i64}}
      }} {{hls.unroll = 2 : i64}}
      %first = affine.load %sum[0] : memref<2xi32>
      %second = affine.load %sum[1] : memref<2xi32>
      %both = arith.xori %first, %second : i32
      %byte = arith.trunci %both : i32 to i8
      affine.store %byte, %result[0] : memref<1xi8>
      {WRITE}"""


def test_a_product_is_a_slice_and_sums_are_a_tree() -> None:
    found = resources(PRODUCTS, multiply())
    assert found.by_structure["products"] == Resources(dsp=8)
    # Two trees of four products of 16 bits: three at a time give 18 bits, and with the fourth 19.
    assert found.by_structure["adder trees"].lut == 2 * (18 + 19)
    # A constant of 16 words of 64 bits: two functions of four bits share a LUT; what it gives goes into registers.
    assert 64 / 2 * 0.9 < found.by_structure["weights"].lut <= 64 / 2
    assert found.by_structure["memories"] == Resources()


def test_products_in_luts() -> None:
    found = resources(PRODUCTS, multiply('{hls.multiplier = "fabric"}'))
    assert found.total.dsp == 0
    assert found.by_structure["products"] == (costs.fabric_product(8, 8) + costs.registers(16)) * 8


def test_wide_products_take_several_slices() -> None:
    arrays = PRODUCTS.replace("16x2x4xi8", "16x2x4xi32")
    body = multiply(bits=32).replace("arith.extsi %w : i32 to i32", "arith.addi %w, %zero : i32")
    assert resources(arrays, body).total.dsp == 2 * 8
    assert costs.slices(27, 18, "ultrascale+") == 1
    assert costs.slices(27, 18, "7series") == 2


def test_what_no_iteration_leaves_is_no_register() -> None:
    wire = resources("word: 4xi8 register\nresult: 1xi8 register", f"{READ}\n{copy('%word[0]')}\n{WRITE}")
    assert wire.by_structure["window"] == Resources()
    assert wire.by_structure["pipeline registers"].ff == 32  # of the stream's word
    # Read once a row: the word stays, and the one that was read is chosen or the one that stayed.
    held = resources(
        "word: 4xi8 register\nresult: 1xi8 register",
        f"affine.if affine_set<(d0) : (d0 == 0)>(%x) {{ {READ} }}\n{copy('%word[0]')}\n{WRITE}",
    )
    assert held.by_structure["window"] == Resources(lut=8 / 2, ff=32)


def copy(element: str, kind: str = "4xi8") -> str:
    return f"""
      %moved = affine.load {element} : memref<{kind}>
      affine.store %moved, %result[0] : memref<1xi8>"""


def test_registers_by_address_are_chosen() -> None:
    arrays = "word: 4xi8 register\nkept: 4xi8 register\nresult: 1xi8 register"
    body = f"""
      {READ}
      {copy("%kept[%x]")}
      %new = affine.load %word[0] : memref<4xi8>
      affine.store %new, %kept[%x] : memref<4xi8>
      {WRITE}"""
    found = resources(arrays, body).by_structure["window"]
    assert found == costs.choice(4, 8) + costs.scatter(4) + costs.registers(32)


def test_line_buffers() -> None:
    arrays = "word: 4xi8 register\nline: 2x48x4xi8 lutram 1 0\nresult: 1xi8 register"
    body = f"""
      {READ}
      affine.for %row = 0 to 2 {{
        affine.for %lane = 0 to 4 {{
          %old = affine.load %line[%row, %x, %lane] : memref<2x48x4xi8>
          affine.store %old, %word[%lane] : memref<4xi8>
          affine.store %old, %line[%row, %x, %lane] : memref<2x48x4xi8>
        }} {{hls.unroll = 4 : i64}}
      }} {{hls.unroll = 2 : i64}}
      {copy("%word[0]")}
      {WRITE}"""
    found = resources(arrays, body, (4, 48)).by_structure["memories"]
    # Two banks of 48 words of 32 bits: five times seven bits in eight LUTs, the address of the write included.
    assert found == Resources(lut=2 * 37, ff=2 * 32)
    blocks = resources(arrays.replace("lutram", "bram"), body, (4, 48)).by_structure["memories"]
    assert blocks == Resources(bram36=2 * 0.5)


def test_streams() -> None:
    assert stream_resources(2, 64, "srl").ff >= 2 * 64
    assert 32 <= stream_resources(16, 64, "srl").lut < 64
    assert stream_resources(1024, 36, "bram").bram36 == 1.0
    assert stream_resources(512, 36, "bram").bram36 == 0.5


@pytest.mark.parametrize("storage", ["srl", "lutram", "bram"])
def test_more_words_never_cost_less(storage: str) -> None:
    def room(depth: int, bits: int) -> tuple[float, float]:
        found = stream_resources(depth, bits, storage)
        return found.lut, found.bram36

    for bits in (8, 72):
        # The word that is read next lies in a register of its own above two words.
        depths = [room(depth, bits) for depth in range(3, 600, 7)]
        assert depths == sorted(depths, key=lambda found: found[1])
        assert [lut for lut, _ in depths] == sorted(lut for lut, _ in depths)
    for depth in (2, 16, 64, 600):
        assert room(depth, 8) < room(depth, 9) or storage == "bram"


@pytest.mark.parametrize("family", costs.FAMILIES)
def test_monotonic(family: str) -> None:
    products = [costs.fabric_product(8, bits).lut for bits in range(2, 17)]
    assert products == sorted(products)
    trees = [costs.adder_tree(count, 16).lut for count in range(1, 300)]
    assert trees == sorted(trees)
    roms = [costs.rom(depth, 72, "rom_lutram", family).lut for depth in range(2, 300)]
    assert roms == sorted(roms)
    memories = [costs.memory(depth, 72, "lutram", family).lut for depth in range(2, 300)]
    assert memories == sorted(memories)


def test_ultraram() -> None:
    """72 bits and 4,096 words each; what loads it takes LUTs and registers, and more of them for wider words."""
    sizes = {(2, 72): 1, (4096, 72): 1, (4097, 72): 2, (64, 73): 2, (9000, 576): 24}
    assert {size: costs.rom(*size, "uram", "ultrascale+").uram for size in sizes} == sizes
    assert costs.rom(64, 72, "uram", "ultrascale+").lut == 0
    narrow, wide = (costs.load_receiver(64, bits, 64) for bits in (64, 576))
    assert 0 < narrow.lut < wide.lut
    assert wide.ff - narrow.ff >= 512
    # In a task: 16 words of the eight weights of a step, and their load.
    plain, loaded = (resources(PRODUCTS.replace("rom_lutram", place), multiply()) for place in ("rom_bram", "uram"))
    load = costs.load_receiver(16, 64, 64)
    assert loaded.by_structure["weights"] == plain.by_structure["weights"] + load + Resources(uram=1, bram36=-1)
    # It takes a cycle longer to read, for which the four activations wait.
    more = loaded.by_structure["pipeline registers"].ff - plain.by_structure["pipeline registers"].ff
    assert more == 4 * 8


def test_a_cascade_of_packed_products() -> None:
    arrays = """
      word: 4xi8 register
      rom_weight: 16x2x4xi8 rom_lutram
      packed: i48 register
      sum: 2xi32 register
      result: 1xi8 register
    """
    body = f"""
      {READ}
      %half = arith.constant 131072 : i48
      affine.store %half, %packed[] : memref<i48>
      affine.for %link = 0 to 4 {{
        %a = affine.load %word[%link] : memref<4xi8>
        %low = affine.load %rom_weight[%y * 4 + %x, 0, %link] : memref<16x2x4xi8>
        %high = affine.load %rom_weight[%y * 4 + %x, 1, %link] : memref<16x2x4xi8>
        %both = "hls.pack"(%high, %low) {{shift = 18 : i64}} : (i8, i8) -> i27
        %left = arith.extsi %a : i8 to i48
        %right = arith.extsi %both : i27 to i48
        %product = arith.muli %left, %right : i48
        %old = affine.load %packed[] : memref<i48>
        %new = arith.addi %old, %product : i48
        affine.store %new, %packed[] : memref<i48>
      }} {{hls.unroll = 4 : i64, hls.cascade}}
      %end = affine.load %packed[] : memref<i48>
      %first = "hls.low"(%end) {{shift = 18 : i64}} : (i48) -> i18
      %second = "hls.high"(%end) {{shift = 18 : i64}} : (i48) -> i18
      %mixed = arith.xori %first, %second : i18
      %byte = arith.trunci %mixed : i18 to i8
      affine.store %byte, %result[0] : memref<1xi8>
      {WRITE}"""
    found = resources(arrays, body)
    # Links 1, 2 and 3 wait: an activation and two weights, in registers up to two cycles, then in a shift register.
    late = costs.delay(1, 24) + costs.delay(2, 24) + costs.delay(3, 24)
    assert found.by_structure["products"] == Resources(dsp=4) + late
    assert late == Resources(lut=12, ff=96)
    assert found.by_structure["adder trees"] == Resources()


def test_lanes_share_what_does_not_depend_on_them() -> None:
    """A guard on an activation stands before both outputs' products, and its test is there once for each tap."""
    guarded = multiply().replace(
        "%a = affine.load %word[%tap] : memref<4xi8>",
        """%a = affine.if affine_set<(d0, d1) : (d0 + d1 - 1 >= 0)>(%x, %tap) -> i8 {
          %in_map = affine.load %word[%tap] : memref<4xi8>
          affine.yield %in_map : i8
        } else {
          affine.yield %zero8 : i8
        }""",
    )
    plain, found = resources(PRODUCTS, multiply()), resources(PRODUCTS, guarded)
    assert found.by_structure["window"].lut - plain.by_structure["window"].lut == 4 * 8 / 2
    assert found.by_structure["products"] == plain.by_structure["products"]
    assert found.by_structure["control"].lut - plain.by_structure["control"].lut == 4 * 1.0


def test_lanes_that_a_mask_leaves_out_are_not_there() -> None:
    """Where the last of four taps is beyond the end, there are three. Where a loop of the task says so, it waits."""

    def masked(condition: str) -> TaskResources:
        body = multiply()
        begin, end = body.index("%a = "), body.index("}", body.index("affine.store %new"))
        return resources(PRODUCTS, f"{body[:begin]} affine.if {condition} {{ {body[begin:end]} }} {body[end:]}")

    found = masked("affine_set<(d0) : (2 - d0 >= 0)>(%tap)")
    assert found.by_structure["products"] == Resources(dsp=6)
    assert found.by_structure["control"] == resources(PRODUCTS, multiply()).by_structure["control"]
    held = masked("affine_set<(d0, d1) : (d0 + 2 - d1 >= 0)>(%x, %tap)")
    assert held.by_structure["products"] == Resources(dsp=8)
    assert held.by_structure["adder trees"].lut == 2 * (18 + 19) + 8 * 16 / 2


def test_an_accumulator_is_added_to_at_its_own_width() -> None:
    arrays = PRODUCTS + "total: 4xi32 register\n"
    body = multiply().replace(
        f"{WRITE}",
        f"""%kept = affine.load %total[%x] : memref<4xi32>
          %more = arith.addi %kept, %first : i32
          affine.store %more, %total[%x] : memref<4xi32>
          {WRITE}""",
    )
    plain, found = resources(PRODUCTS, multiply()), resources(arrays, body)
    assert found.by_structure["adder trees"].lut - plain.by_structure["adder trees"].lut == 32
    window = costs.choice(4, 32) + costs.scatter(4) + costs.registers(4 * 32)
    assert found.by_structure["window"] == plain.by_structure["window"] + window
