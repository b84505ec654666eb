# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The folder vivado/, without Vivado: the block design that the script draws is complete, and made of what exists."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import tcl
from designs import design, write

from resnet_hls import boards
from resnet_hls.processes import JOBS
from resnet_hls.project.tools import Design, Words, cell_module, tool_files

# UG835, of 2023.2 to 2025.2.
COMMANDS = {
    "create_project": ("-force", "-part"),
    "get_board_parts": ("-quiet", "-latest_file_version"),
    "current_project": (),
    "current_fileset": (),
    "set_property": ("-dict",),
    "get_property": (),
    "get_ipdefs": ("-quiet", "-all", "-filter"),
    "update_ip_catalog": ("-rebuild",),
    "create_bd_design": (),
    "create_bd_cell": ("-type", "-vlnv"),
    "get_bd_cells": ("-quiet",),
    "get_bd_pins": ("-quiet",),
    "get_bd_intf_pins": ("-quiet",),
    "connect_bd_net": (),
    "connect_bd_intf_net": (),
    "apply_bd_automation": ("-rule", "-config"),
    "assign_bd_address": (),
    "validate_bd_design": (),
    "save_bd_design": (),
    "get_files": (),
    "make_wrapper": ("-files", "-top", "-import"),
    "update_compile_order": ("-fileset",),
    "get_runs": (),
    "launch_runs": ("-to_step", "-jobs"),
    "wait_on_run": (),
    "open_run": (),
    "report_utilization": ("-hierarchical", "-file"),
    "report_timing_summary": ("-file",),
}


class Ip:
    """An IP as its product guide has it: interfaces that it is master and slave of, clocks and resets, in and out."""

    def __init__(
        self, masters: str = "", slaves: str = "", clocks: str = "", resets: str = "", drives: str = ""
    ) -> None:
        self.masters, self.slaves = masters.split(), slaves.split()
        self.inputs, self.drives = [*clocks.split(), *resets.split()], drives.split()


def ips(name: str, weights: bool) -> dict[str, Ip]:
    """PG021 (axi_dma), PG247 (smartconnect), PG164 (proc_sys_reset), PG201 and PG082 (processing systems), UG1399."""
    return {
        "zynq_ultra_ps_e": Ip(
            "M_AXI_HPM0_FPD", "S_AXI_HP0_FPD", "maxihpm0_fpd_aclk saxihp0_fpd_aclk", "", "pl_clk0 pl_resetn0"
        ),
        "processing_system7": Ip(
            "M_AXI_GP0", "S_AXI_HP0", "M_AXI_GP0_ACLK S_AXI_HP0_ACLK", "", "FCLK_CLK0 FCLK_RESET0_N"
        ),
        "proc_sys_reset": Ip("", "", "slowest_sync_clk", "ext_reset_in", "peripheral_aresetn"),
        "axi_dma": Ip(
            "M_AXI_MM2S M_AXI_S2MM M_AXIS_MM2S",
            "S_AXI_LITE S_AXIS_S2MM",
            "s_axi_lite_aclk m_axi_mm2s_aclk m_axi_s2mm_aclk",
            "axi_resetn",
        ),
        name: Ip("output_r", f"s_axi_control input_r{' weights' if weights else ''}", "ap_clk", "ap_rst_n"),
        "smartconnect": Ip("", "", "aclk", "aresetn"),
    }


# The parameters that are set, and of what they are made: the product guides above.
PARAMETERS = {
    "zynq_ultra_ps_e": {
        *("PSU__USE__M_AXI_GP0", "PSU__USE__M_AXI_GP1", "PSU__USE__M_AXI_GP2", "PSU__USE__S_AXI_GP2"),
        *("PSU__FPGA_PL0_ENABLE", "PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ"),
    },
    "processing_system7": {
        *("PCW_USE_M_AXI_GP0", "PCW_USE_S_AXI_HP0", "PCW_EN_CLK0_PORT", "PCW_EN_RST0_PORT"),
        "PCW_FPGA0_PERIPHERAL_FREQMHZ",
    },
    "axi_dma": {
        *("c_include_sg", "c_sg_include_stscntrl_strm", "c_sg_length_width", "c_addr_width", "c_include_mm2s"),
        *("c_m_axis_mm2s_tdata_width", "c_m_axi_mm2s_data_width", "c_mm2s_burst_size", "c_include_s2mm"),
        *("c_m_axi_s2mm_data_width", "c_s2mm_burst_size"),
    },
    "smartconnect": {"NUM_SI", "NUM_MI"},
}

# What the commands give back: a Vivado of whose IPs there are two versions, and which runs in no time.
STUBS = {
    **dict.fromkeys(COMMANDS, ""),
    "current_project": "return project",
    "current_fileset": "return sources_1",
    "get_files": "return [lindex $args end]",
    "get_runs": "return [lindex $args end]",
    "get_bd_cells": "return [lindex $args end]",
    "get_bd_pins": "return [lindex $args end]",
    "get_bd_intf_pins": """
      set pin [lindex $args end]
      if {"-quiet" in $args && $pin ni {accelerator/input_r accelerator/output_r accelerator/weights}} { return {} }
      return $pin""",
    "get_ipdefs": """
      set n [string trimright [lindex $args end] *]
      if {[string match $::lacking $n]} { return {} }
      return [list ${n}1.9 ${n}1.10]""",
    "get_property": """
      switch [lindex $args 0] {
        VLNV { return [lindex $args 1] }
        CONFIG.FREQ_HZ { return 249997498 }
        PROGRESS { return $::progress }
        STATUS { return {place_design ERROR} }
        STATS.WNS { return $::slack }
        STATS.WHS { return $::hold }
      }
      error "no property $args" """,
    "launch_runs": """
      set bd $::name.gen/sources_1/bd/$::name
      foreach file [list $::name.runs/impl_1/${::name}_wrapper.bit $bd/hw_handoff/$::name.hwh] {
        file mkdir [file dirname $::work/$file]
        close [open $::work/$file w]
      }""",
}


def run(
    project: Path,
    boards_there: bool = True,
    slack: str = "0.013",
    hold: str = "0.01",
    progress: str = "100%",
    lacking: str = "-",
) -> tcl.Run:
    found = "[list ${n}1.3 ${n}1.4]" if boards_there else "{}"
    stubs = STUBS | {
        "get_board_parts": f"set n [string trimright [lindex $args end] *]; return {found}",
    }
    values = {
        "name": "small_system",
        "work": project / "vivado/work",
        "slack": slack,
        "hold": hold,
        "progress": progress,
    }
    values["lacking"] = lacking
    setup = "".join(f"set ::{name} {{{value}}}\n" for name, value in values.items())
    return tcl.run(project / "vivado/build.tcl", stubs, cwd=project.parent, setup=setup)


def packed(project: Path) -> Path:
    """The project after vitis/build.sh."""
    ip = project / "vitis/work/hls/impl/ip"
    (ip / "hdl/verilog").mkdir(parents=True)
    (ip / "component.xml").write_text("<component/>")
    return project


@pytest.mark.parametrize("weights", [0, 24], ids=["no weights", "weights"])
@pytest.mark.parametrize("board", boards.names())
def test_block_design(board: str, weights: int, tmp_path: Path) -> None:
    """Every interface is connected to one of the other side and the same kind, every clock and reset driven once."""
    wanted = design(board, weights)
    project = packed(write(wanted, tmp_path / "project"))
    done = run(project)
    assert done.error == ""
    tcl.check_options(done.commands, COMMANDS)
    known = ips("small", bool(weights))
    cells = {cell: vlnv.split(":")[2] for _, _, _, vlnv, cell in done.of("create_bd_cell")}
    assert wanted.board.platform is not None
    assert cells["ps"] == wanted.board.platform.processing_system
    assert set(cells) == {
        "ps",
        "reset",
        "accelerator",
        "dma",
        "control",
        "memory",
        *(["dma_weights"] if weights else []),
    }
    properties = {cell: dict(zip(values[::2], values[1::2], strict=True)) for cell, values in _dicts(done)}
    for cell, values in properties.items():
        assert {key.removeprefix("CONFIG.") for key in values} <= PARAMETERS[cells[cell]], cell
    masters, slaves = _interfaces(cells, known, properties)
    wires = done.of("connect_bd_intf_net")
    assert Counter(master for master, _ in wires) == Counter(masters)
    assert Counter(slave for _, slave in wires) == Counter(slaves)
    for master, slave in wires:
        kinds = {_is_stream(pin, cells) for pin in (master, slave)}
        assert len(kinds) == 1, (master, slave)
    driven = Counter(to for _, to in done.of("connect_bd_net"))
    inputs = [f"{cell}/{pin}" for cell, ip in cells.items() for pin in known[ip].inputs]
    inputs.remove("dma_weights/m_axi_s2mm_aclk") if weights else None  # its half is not there
    assert driven == Counter(inputs)
    clocks, resets = known[cells["ps"]].drives
    for source, to in done.of("connect_bd_net"):
        pin = to.split("/")[1].lower()
        expected = f"ps/{clocks}" if "clk" in pin else f"ps/{resets}" if pin == "ext_reset_in" else None
        assert source == (expected or "reset/peripheral_aresetn")


def _dicts(done: tcl.Run) -> list[tuple[str, list[str]]]:
    """The cells and values of `set_property -dict`; a list comes as one argument, its words in braces where needed."""
    return [
        (arguments[2], arguments[1].replace("{", "").replace("}", "").split())
        for arguments in done.of("set_property")
        if arguments[0] == "-dict"
    ]


def _interfaces(
    cells: dict[str, str], known: dict[str, Ip], properties: dict[str, dict[str, str]]
) -> tuple[list[str], list[str]]:
    """All masters and slaves that are to be connected."""
    masters = [f"{cell}/{pin}" for cell, ip in cells.items() for pin in known[ip].masters]
    slaves = [f"{cell}/{pin}" for cell, ip in cells.items() for pin in known[ip].slaves]
    for cell in ("control", "memory"):
        values = properties[cell]
        masters += [f"{cell}/M{n:02}_AXI" for n in range(int(values["CONFIG.NUM_MI"]))]
        slaves += [f"{cell}/S{n:02}_AXI" for n in range(int(values["CONFIG.NUM_SI"]))]
    if "dma_weights" in cells:
        assert properties["dma_weights"]["CONFIG.c_include_s2mm"] == "0"
        masters.remove("dma_weights/M_AXI_S2MM")
        slaves.remove("dma_weights/S_AXIS_S2MM")
    return masters, slaves


def _is_stream(pin: str, cells: dict[str, str]) -> bool:
    cell, name = pin.split("/")
    return "AXIS" in name or (cells[cell] == "small" and name != "s_axi_control")


def test_widths_and_clock(tmp_path: Path) -> None:
    """The DMA has the width of the input; its memory side is no narrower than a stream; the clock is the design's."""
    wide = replace(design(weights_beats=24, clock_mhz=214.286), output=(design().output[0], Words(10, 1, 128)))
    done = run(packed(write(wide, tmp_path / "project")))
    properties = {cell: dict(zip(values[::2], values[1::2], strict=True)) for cell, values in _dicts(done)}
    dma = properties["dma"]
    assert dma["CONFIG.c_m_axis_mm2s_tdata_width"] == "32"
    assert dma["CONFIG.c_m_axi_mm2s_data_width"] == "64"
    assert dma["CONFIG.c_m_axi_s2mm_data_width"] == "128"
    assert dma["CONFIG.c_sg_length_width"] == "26"
    assert dma["CONFIG.c_include_sg"] == "0"
    assert properties["dma_weights"]["CONFIG.c_m_axis_mm2s_tdata_width"] == "64"
    assert properties["ps"]["CONFIG.PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ"] == "214.286"


def test_newest_versions(tmp_path: Path) -> None:
    """1.10 comes behind 1.9, for IPs as for board files; the driver of PYNQ is for axi_dma 7.1, which stays."""
    done = run(packed(write(design(), tmp_path / "project")))
    vlnv = {cell: name for _, _, _, name, cell in done.of("create_bd_cell")}
    ((block_design,),) = done.of("create_bd_design")
    assert f"{block_design}_accelerator_0" == cell_module("small")
    assert vlnv["accelerator"] == "xilinx.com:hls:small:1.10"
    assert vlnv["dma"] == "xilinx.com:ip:axi_dma:7.1"
    assert ("board_part", "xilinx.com:kv260_som:part0:1.4", "project") in done.of("set_property")


def test_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Order, files: the bitstream and its .hwh come under one stem beside the driver."""
    monkeypatch.delenv(JOBS, raising=False)
    project = packed(write(design(), tmp_path / "project"))
    done = run(project)
    names = [command[0] for command in done.commands]
    order = ("create_project", "create_bd_design", "assign_bd_address", "validate_bd_design", "save_bd_design")
    order = (*order, "make_wrapper", "launch_runs", "wait_on_run", "open_run", "report_utilization")
    places = [names.index(name) for name in order]
    assert places == sorted(places)
    assert max(n for n, name in enumerate(names) if name.startswith("connect_bd")) < names.index("assign_bd_address")
    assert done.of("launch_runs") == [("impl_1", "-to_step", "write_bitstream", "-jobs", "4")]
    assert ("ip_repo_paths", str(project / "vitis/work/hls/impl/ip"), "project") in done.of("set_property")
    written = sorted(path.name for path in (project / "pynq").iterdir())
    assert written == ["accelerator.json", "driver.py", "small.bit", "small.hwh"]
    assert done.of("report_utilization") == [
        ("-hierarchical", "-file", str(project / "vivado/reports/utilization.rpt"))
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"boards_there": False}, "Vivado has no board files xilinx.com:kv260_som:part0: install them"),
        ({"lacking": "*smartconnect*"}, "Vivado has no IP xilinx.com:ip:smartconnect for this part"),
        ({"slack": "-0.25"}, "the clock is not met (setup), by 0.25 ns"),
        ({"hold": "-0.25"}, "the clock is not met (hold), by 0.25 ns"),
        ({"progress": "50%"}, "the implementation did not end: place_design ERROR"),
    ],
)
def test_errors(options: dict[str, str], message: str, tmp_path: Path) -> None:
    """Nothing is copied where something is wrong."""
    project = packed(write(design(), tmp_path / "project"))
    assert run(project, **options).error.startswith(message)  # type: ignore[arg-type]
    assert not (project / "pynq/small.bit").exists()


def test_without_the_accelerator(tmp_path: Path) -> None:
    done = run(write(design(), tmp_path / "project"))
    assert done.error.startswith("there is no packed accelerator below vitis/work: run vitis/build.sh first")
    assert not done.commands


def test_boards_and_ports_that_have_none() -> None:
    """A board without [platform], and a stream that no DMA takes: no vivado/, and why."""
    bare = replace(design(), board=replace(boards.load("kv260"), platform=None))
    assert bare.missing == "the file of kv260 has no table [platform], so there is no vivado/"
    wide: Design = replace(design(), output=(design().output[0], Words(200, 1, 2048)))
    assert wide.missing == "the output is 2048 bits wide, a DMA takes 1024, so there is no vivado/"
    for short in (bare, wide):
        assert {name.split("/")[0] for name in tool_files(short)} == {"README.md", "vitis", "pynq"}
    assert "vivado/build.tcl" in tool_files(design())
