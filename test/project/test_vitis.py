# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The folder vitis/, without Vitis: every key, command and option is a documented one, every file is there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import tcl
from designs import design, write

from resnet_hls.project.tools import period_ns

# UG1399 and UG1702, "HLS Config File Commands", of 2023.2 to 2025.2; `part` stands outside [hls].
KEYS = {
    *("flow_target", "clock", "syn.top", "syn.file", "tb.file", "csim.clean"),
    *("package.output.format", "package.output.syn"),
    *("package.ip.vendor", "package.ip.library", "package.ip.name", "package.ip.version"),
}
# UG1399, "Vitis HLS Command Reference": what the versions from 2023.2 to 2025.2 have in common.
COMMANDS = {
    "open_component": ("-reset", "-flow_target"),
    "open_project": ("-reset", "-upgrade"),
    "open_solution": ("-reset", "-flow_target"),
    "set_top": (),
    "add_files": ("-tb", "-cflags", "-csimflags", "-blackbox"),
    "set_part": (),
    "create_clock": ("-name", "-period"),
    "csim_design": ("-argv", "-clean", "-setup"),
    "csynth_design": ("-dump_cfg", "-dump_post_cfg", "-synthesis_check"),
    "cosim_design": ("-argv", "-setup", "-rtl", "-trace_level"),
    "export_design": ("-format", "-vendor", "-library", "-ipname", "-version", "-output", "-flow", "-rtl"),
}
STEPS = ["csim_design", "csynth_design", "cosim_design", "export_design"]


@pytest.fixture(params=[0, 24], ids=["no weights", "weights"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(design(weights_beats=request.param), tmp_path / "a project")


def test_configuration(project: Path) -> None:
    """hls_config.cfg: `part` in front of [hls], then only keys that exist; what they name is there."""
    path = project / "vitis/hls_config.cfg"
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert lines[:2] == ["part=xck26-sfvc784-2LV-c", "[hls]"]
    pairs = [line.split("=", 1) for line in lines[2:]]
    assert {key for key, _ in pairs} <= KEYS
    found = {key: [value for other, value in pairs if other == key] for key, _ in pairs}
    assert found["syn.top"] == ["small"]
    assert found["clock"] == ["4.000ns"]
    assert found["flow_target"] == ["vivado"]
    assert found["package.output.format"] == ["ip_catalog"]
    files = [*found["syn.file"], *found["tb.file"]]
    assert all((path.parent / file).is_file() and not os.path.isabs(file) for file in files)
    everything = {f"../{name}" for name in _files(project)}
    assert set(files) == everything
    assert not set(found["syn.file"]) & set(found["tb.file"])


def _files(project: Path) -> list[str]:
    names = [path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()]
    return [name for name in names if name.startswith(("src/", "tb/", "data/"))]


@pytest.mark.parametrize("component", [True, False], ids=["open_component", "open_project"])
def test_script(project: Path, component: bool, tmp_path: Path) -> None:
    """run_hls.tcl, run in another folder: the same files as the configuration, the steps in order, with either API."""
    opening = ("open_project", "open_solution") if component else ("open_component",)
    stubs = dict.fromkeys((name for name in COMMANDS if name not in opening), "")
    done = tcl.run(project / "vitis/run_hls.tcl", stubs, cwd=tmp_path)
    assert done.error == ""
    tcl.check_options(done.commands, COMMANDS)
    names = [command[0] for command in done.commands]
    assert names[0] == ("open_component" if component else "open_project")
    assert names[-4:] == STEPS
    assert done.of("set_part", "set_top") == [("small",), ("xck26-sfvc784-2LV-c",)]
    assert done.of("create_clock") == [("-period", "4.000", "-name", "default")]
    text = (project / "vitis/hls_config.cfg").read_text()
    assert [file for *tb, file in done.of("add_files") if not tb] == _values(text, "syn.file")
    assert [file for *tb, file in done.of("add_files") if tb == ["-tb"]] == _values(text, "tb.file")
    places = [names.index(name) for name in ("set_top", "add_files", "set_part", "create_clock")]
    assert max(places) < names.index("csim_design")


def _values(text: str, key: str) -> list[str]:
    return [line.split("=", 1)[1] for line in text.splitlines() if line.startswith(f"{key}=")]


def test_script_runs_the_steps_that_are_asked_for(project: Path) -> None:
    stubs = dict.fromkeys(COMMANDS, "")
    script = project / "vitis/run_hls.tcl"
    done = tcl.run(script, stubs, cwd=project, environment={"RESNET_HLS_STEPS": " csynth export"})
    assert [command[0] for command in done.commands][-2:] == ["csynth_design", "export_design"]
    assert not done.of("csim_design", "cosim_design")
    done = tcl.run(script, stubs, cwd=project, environment={"RESNET_HLS_STEPS": "csynth; exec"})
    assert done.error.startswith("there is no step 'csynth;'")
    assert not done.commands


def _build(project: Path, tools: list[str], *words: str) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """build.sh with nothing but these tools on PATH, which write down how and where they are called."""
    folder = project / "tools"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    log = folder / "log"
    for name in ("dirname", "cat"):
        (folder / name).symlink_to(shutil.which(name) or pytest.fail(name))
    for name in tools:
        (folder / name).write_text(f'#!/bin/sh\necho "{name} $* in ${{PWD##*/}}:$RESNET_HLS_STEPS" >> "{log}"\n')
        (folder / name).chmod(0o755)
    done = subprocess.run(
        [str(project / "vitis/build.sh"), *words],
        cwd=project.parent,
        env={"PATH": str(folder), "RESNET_HLS_STEPS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, log.read_text().splitlines() if log.is_file() else []


def test_build_with_the_configuration(project: Path) -> None:
    """v++ and vitis-run: hls_config.cfg, one command a step, the same work folder for all."""
    done, calls = _build(project, ["v++", "vitis-run", "vitis_hls"])
    assert done.returncode == 0, done.stderr
    assert "found" in done.stdout
    assert "/v++" in done.stdout
    common = "--config hls_config.cfg --work_dir work in vitis:"
    assert calls == [
        f"vitis-run --mode hls --csim {common}",
        f"v++ -c --mode hls {common}",
        f"vitis-run --mode hls --cosim {common}",
        f"vitis-run --mode hls --package {common}",
    ]


@pytest.mark.parametrize(
    ("tools", "words", "call"),
    [
        (["vitis_hls"], [], "vitis_hls -f run_hls.tcl in vitis: csim csynth cosim export"),
        (["vitis-run", "vitis_hls"], ["export"], "vitis-run --mode hls --tcl run_hls.tcl in vitis: export"),
        (["v++", "vitis-run"], ["--tcl", "csim"], "vitis-run --mode hls --tcl run_hls.tcl in vitis: csim"),
    ],
)
def test_build_with_the_script(project: Path, tools: list[str], words: list[str], call: str) -> None:
    done, calls = _build(project, tools, *words)
    assert (done.returncode, calls) == (0, [call]), done.stderr
    assert f"/{call.split()[0]}, using run_hls.tcl" in done.stdout


def test_build_without_what_it_needs(project: Path) -> None:
    done, _ = _build(project, [])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "build.sh: error: neither vitis-run nor vitis_hls is on PATH\nhelp: source settings64"
    )
    done, calls = _build(project, ["vitis_hls"], "synth")
    assert (done.returncode, calls) == (2, [])
    assert "there is no step 'synth'" in done.stderr
    done, calls = _build(project, ["vitis_hls"], "--help")
    assert (done.returncode, calls, done.stdout.startswith("usage:")) == (0, [], True)


def test_a_step_that_fails_ends_the_build(project: Path) -> None:
    _build(project, ["v++", "vitis-run"])
    failing = project / "tools/v++"
    failing.write_text("#!/bin/sh\nexit 3\n")
    environment = {"PATH": str(failing.parent)}
    done = subprocess.run([str(project / "vitis/build.sh")], env=environment, capture_output=True, check=False)
    assert done.returncode == 3
    assert (failing.parent / "log").read_text().splitlines()[-1].startswith("vitis-run --mode hls --csim")


def test_period() -> None:
    """Never longer than the clock that was asked for."""
    assert [period_ns(mhz) for mhz in (250, 214.286, 100, 333.3333)] == ["4.000", "4.666", "10.000", "3.000"]


@pytest.mark.parametrize("name", ["small; exec rm", "a b", "[exit]", "$x", "", "1a", 'a"b', "schön"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="no C\\+\\+ identifier"):
        design(name=name)
