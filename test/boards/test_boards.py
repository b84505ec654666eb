# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Boards: those of the project are sound, a user's own is checked key by key."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_hls import boards
from resnet_hls.driver import make_options
from resnet_hls.errors import UserError

BOARD = """
title = "My board"
part = "xc7a100t"
family = "7series"
clock_mhz = 125.5
[resources]
dsp = 240
lut = 63400
ff = 126800
bram36 = 135
uram = 0
[budget]
dsp = 0.9
lut = 0.75
ff = 1
bram36 = 0.9
uram = 0.5
"""


def test_names() -> None:
    assert boards.names() == ["kv260", "pynq-z2", "ultra96v2", "zcu102", "zcu104"]


def test_kv260() -> None:
    board = boards.load("kv260")
    assert (board.name, board.part, board.clock_mhz) == ("kv260", "xck26-sfvc784-2LV-c", 250.0)
    assert board.resources == boards.Resources(dsp=1248, lut=117120, ff=234240, bram36=144, uram=64)


def test_usable_is_the_share_of_the_budget_rounded_down(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BOARD.replace("dsp = 0.9", "dsp = 0.29").replace("dsp = 240", "dsp = 100"))
    board = boards.load(str(path))
    assert board.family == "7series"
    assert board.budget == boards.Budget(dsp=0.29, lut=0.75, ff=1.0, bram36=0.9, uram=0.5)
    # In binary, 0.29 of 100 is a little less than 29.
    assert board.usable == boards.Resources(dsp=29, lut=47550, ff=126800, bram36=121, uram=0)


@pytest.mark.parametrize("name", boards.names())
def test_a_share_of_every_board_is_kept_free(name: str) -> None:
    board = boards.load(name)
    assert board.usable.dsp == board.resources.dsp
    assert board.usable.lut == board.resources.lut * 4 // 5
    assert board.usable.bram36 == board.resources.bram36 * 9 // 10


def test_a_count_caps_the_budget_and_cannot_raise_it() -> None:
    options = make_options("ultra96v2", max_dsp=1000, max_lut=50000, max_bram36=0)
    assert options.usable == boards.Resources(dsp=360, lut=50000, ff=112896, bram36=0, uram=0)
    assert options.limits == {"dsp": 1000, "lut": 50000, "bram36": 0}
    parameters = options.parameters()
    assert parameters["family"] == "ultrascale+"
    assert [parameters[name] for name in boards.RESOURCES] == [360, 50000, 112896, 0, 0]


def test_families() -> None:
    seven = [name for name in boards.names() if boards.load(name).family == "7series"]
    assert seven == ["pynq-z2"]


def test_ultra96_has_the_slices_of_its_device() -> None:
    board = boards.load("ultra96v2")
    assert board.resources.dsp == 360
    assert board.clock_mhz == pytest.approx(1500 / 7, abs=1e-3)


@pytest.mark.parametrize("name", boards.names())
def test_every_board_loads(name: str) -> None:
    assert boards.load(name).name == name


def test_own_board(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BOARD)
    board = boards.load(str(path))
    assert (board.name, board.title, board.clock_mhz, board.resources.dsp) == ("mine", "My board", 125.5, 240)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("dsp = 240", "dsps = 240", "unknown key 'resources.dsps'"),
        ("dsp = 240\n", "", "the key 'resources.dsp' is missing"),
        ("dsp = 240", "dsp = 0", "'resources.dsp' is 0, expected an integer from 1 to 1,000,000,000"),
        ("dsp = 240", f"dsp = 1{'0' * 400}", "'resources.dsp' is 10000"),
        ("dsp = 240", "dsp = 1.5", "'resources.dsp' is 1.5, expected an integer"),
        ("uram = 0\n", "uram = true\n", "'resources.uram' is True, expected an integer"),
        ('part = "xc7a100t"', "part = 7", "'part' is 7, expected a part as Vivado names it"),
        ('part = "xc7a100t"', 'part = " "', "'part' is ' ', expected a part as Vivado names it"),
        ("clock_mhz = 125.5", "clock_mhz = -1", "'clock_mhz' is -1, expected a number of MHz"),
        ("clock_mhz = 125.5", "clock = 125.5", "unknown key 'clock'"),
        ("[resources]", "[resource]", "unknown key 'resource'"),
        ('family = "7series"\n', "", "the key 'family' is missing"),
        ("7series", "7 series", "'family' is '7 series', expected 'ultrascale+' or '7series'"),
        ('family = "7series"', "family = 7", "'family' is 7, expected 'ultrascale+'"),
        ("lut = 0.75", "lut = 0", "'budget.lut' is 0, expected a share above 0, 1 at most"),
        ("lut = 0.75", "lut = 1.01", "'budget.lut' is 1.01, expected a share"),
        ("lut = 0.75", "lut = nan", "'budget.lut' is nan, expected a share"),
        ("lut = 0.75", 'lut = "80 %"', "'budget.lut' is '80 %', expected a share"),
        ("lut = 0.75", "luts = 0.75", "unknown key 'budget.luts'"),
        ("lut = 0.75\n", "", "the key 'budget.lut' is missing"),
        ("[budget]", "[budgets]", "unknown key 'budgets'"),
        ("title", "title =", "is no TOML"),
    ],
)
def test_wrong_board(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(BOARD.replace(old, new))
    with pytest.raises(UserError) as caught:
        boards.load(str(path))
    assert message in caught.value.message
    assert caught.value.where == str(path)
    assert caught.value.help
    assert "\n" not in f"{caught.value}{caught.value.help}"


def test_resources_must_be_a_table(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('title = "x"\npart = "y"\nfamily = "7series"\nclock_mhz = 1\nresources = 5\nbudget = 1\n')
    with pytest.raises(UserError, match="'resources' is 5, expected a table"):
        boards.load(str(path))


@pytest.mark.parametrize(("name", "help"), [("kv26", "did you mean 'kv260'"), ("KV260", "'kv260'"), ("x", "ultra96v2")])
def test_unknown_board(name: str, help: str) -> None:
    with pytest.raises(UserError, match=f"no board named '{name}'") as caught:
        boards.load(name)
    assert help in caught.value.help
    assert caught.value.status == 2


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        boards.load(str(tmp_path / "none.toml"))
    with pytest.raises(UserError, match="cannot be read"):
        boards.load(f"{tmp_path}/")


PLATFORM = """
[platform]
board_part = "digilentinc.com:arty-a7-100:part0"
processing_system = "processing_system7"
"""


def test_platform(tmp_path: Path) -> None:
    """What a block design needs is optional, but whole."""
    path = tmp_path / "mine.toml"
    path.write_text(BOARD)
    assert boards.load(str(path)).platform is None
    path.write_text(BOARD + PLATFORM)
    assert boards.load(str(path)).platform == boards.Platform("digilentinc.com:arty-a7-100:part0", "processing_system7")
    for name in boards.names():
        board = boards.load(name)
        assert board.platform is not None
        assert boards.PROCESSING_SYSTEMS[board.platform.processing_system] == board.family


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('part = "xc7a100t"', 'part = "xc7; exec rm"', "'part' is 'xc7; exec rm', expected a part as Vivado names it"),
        ('part = "xc7a100t"', 'part = "[exit]"', "'part' is '[exit]', expected a part"),
        ("digilentinc.com:arty-a7-100:part0", "arty", "'platform.board_part' is 'arty', expected a text such as"),
        ("digilentinc.com:arty-a7-100:part0", "a:b$x:part0", "'platform.board_part' is 'a:b$x:part0', expected a text"),
        ("processing_system7", "zynq_ultra_ps_e", "expected 'processing_system7', which 7series devices have"),
        ("processing_system = ", "processor = ", "unknown key 'platform.processor'"),
        ('processing_system = "processing_system7"\n', "", "the key 'platform.processing_system' is missing"),
    ],
)
def test_wrong_platforms(old: str, new: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text((BOARD + PLATFORM).replace(old, new, 1))
    with pytest.raises(UserError) as error:
        boards.load(str(path))
    assert message in str(error.value)
