# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`resnet-hls build --from-manifest`: what it refuses, and how it finds the model (test_build.py repeats a build)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resnet_hls.cli import main
from resnet_hls.errors import UserError
from resnet_hls.frontend.sources import OnnxSource
from resnet_hls.project import recipe
from resnet_hls.resources import compiler_hash
from resnet_hls.simulate import _cycles

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def manifest(project: Path, tmp_path: Path) -> Path:
    """The manifest of a folder that has nothing else of the project than its model."""
    (tmp_path / "copy" / "reference").mkdir(parents=True)
    shutil.copy(project / "reference" / "model.onnx", tmp_path / "copy" / "reference")
    return Path(shutil.copy(project / "manifest.json", tmp_path / "copy"))


def changed(manifest: Path, change: Change) -> Path:
    content = json.loads(manifest.read_text())
    change(content)
    manifest.write_text(json.dumps(content))
    return manifest


def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path, *arguments: object) -> str:
    """The two lines of an error; nothing is written."""
    status = main(["build", "-o", str(tmp_path / "out"), *map(str, arguments)])
    said = capsys.readouterr()
    assert status in (1, 2)
    assert said.out == ""
    assert said.err.startswith("resnet-hls: error: ")
    assert said.err.count("\n") == 2
    assert not (tmp_path / "out").exists()
    return said.err


def test_options_are_those_of_then(manifest: Path) -> None:
    found = recipe.read(manifest)
    assert found.options.board.name == "kv260"
    assert found.options.board.resources.dsp == 1248
    assert found.options.effort == 20
    assert recipe.read(manifest.parent).content == found.content  # the folder will do, too
    assert found.check_versions() == []


def test_models_are_found_by_name_and_sum(
    manifest: Path, small_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / small_onnx.name).write_text("another file of that name")
    source = recipe.read(manifest).source(None)
    assert isinstance(source, OnnxSource)
    assert source.path == manifest.parent / "reference" / "model.onnx"
    assert (source.model, source.name) == (small_onnx.name, "compact")
    shutil.copy(small_onnx, tmp_path)
    source = recipe.read(manifest).source(None)
    assert isinstance(source, OnnxSource)
    assert source.path == Path(small_onnx.name)


def test_model_is_another_or_is_not_there(
    manifest: Path, tiny_onnx: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, tmp_path, tiny_onnx, "--from-manifest", manifest)
    assert f"{tiny_onnx.name}: is not the model of then: SHA-256 " in said
    for given in ("resnet20", tiny_onnx):  # of another kind, or with sums that a manifest has not
        said = refused(capsys, tmp_path, given, "--from-manifest", manifest, "--allow-differences")
        assert "is not the model of then" in said
    shutil.rmtree(manifest.parent / "reference")
    said = refused(capsys, tmp_path, "--from-manifest", manifest)
    assert "was built from compact.qonnx.onnx, which is not here: SHA-256 " in said
    assert f"help: say where it is: resnet-hls build MODEL --from-manifest {manifest}" in said


@pytest.mark.parametrize("model", ["networks.py:network", "os:getcwd"])
def test_a_manifest_runs_no_code(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    changed(manifest, lambda content: content.update(model=model, source_kind="torch"))
    said = refused(capsys, tmp_path, "--from-manifest", manifest)
    assert "a manifest runs no code by itself" in said
    assert f"resnet-hls build {model} --from-manifest" in said


@pytest.mark.parametrize("model", ["../../etc/passwd", "/etc/hostname", "ResNet", "", "a/b.onnx"])
def test_models_outside_are_not_looked_for(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    changed(manifest, lambda content: content.update(model=model))
    assert "which names no file" in refused(capsys, tmp_path, "--from-manifest", manifest)


def test_versions(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(manifest, lambda content: content["versions"].update({"onnx": "0.0.1", "no-such-package": "3"}))
    said = refused(capsys, tmp_path, "--from-manifest", manifest)
    assert "was built with onnx 0.0.1, here it is " in said
    assert "; no-such-package 3, not installed" in said
    assert "pip install onnx==0.0.1 no-such-package==3; or --allow-differences" in said
    assert len(recipe.check_versions(recipe.read(manifest), allow=True)) == 2


def test_another_state_of_the_compiler(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(manifest, lambda content: content.update(compiler_sha256="0"))
    said = refused(capsys, tmp_path, "--from-manifest", manifest)
    assert "was built with another state of resnet-hls" in said
    assert "help: --allow-differences builds" in said


def test_the_state_of_the_extension_module_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """`compiler_sha256` has the sum of its sources, those of this tree."""
    folder = Path(__file__).resolve().parents[2] / "lib" / "sim"
    sources = sorted([*folder.glob("*.cpp"), *folder.glob("*.h")])
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}\n" for path in sources)
    assert hashlib.sha256(sums.encode()).hexdigest() == _cycles.SOURCES_SHA256
    before = compiler_hash()
    monkeypatch.setattr(_cycles, "SOURCES_SHA256", "another")
    assert compiler_hash() != before


def test_files_that_differ(manifest: Path) -> None:
    found = recipe.read(manifest)
    now = json.loads(manifest.read_text())
    now["files"]["src/tasks.cpp"] = "0"
    now["files"]["src/extra.h"] = "0"
    with pytest.raises(UserError, match=r"2 of .* files differ from those that .* records: src/extra.h, src/tasks.cpp"):
        recipe.Repetition(found, allow=False)(now)
    allowed = recipe.Repetition(found, allow=True)
    allowed(now)
    assert allowed.line.startswith("2 of ")
    now = {**found.content, "notes": ["another"]}
    assert found.differences(now) == ["manifest.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.pop("files"), "does not say how to build: 'files' is missing"),
        (lambda content: content.update(sha256=3), "'sha256' is no table of texts"),
        (lambda content: content["options"].update(effort="much"), "'effort' is no number"),
        (lambda content: content["options"].update(clock_mhz=-1), "'clock_mhz' is -1"),
        (lambda content: content["options"].update(without=["hls-none"]), "no pass 'hls-none'"),
        (lambda content: content["options"].update(without=3), "damaged"),
        (lambda content: content["board_definition"].update(family="8series"), "'family' is '8series'"),
        (lambda content: content["board_definition"].update(budget=[]), "'budget' is []"),
        (lambda content: content["options"].update(resource_factors={"lut": 1000}), "'resource_factors.lut' is 1000"),
    ],
)
def test_damaged(
    manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Change, message: str
) -> None:
    assert message in refused(capsys, tmp_path, "--from-manifest", changed(manifest, change))


def test_no_manifest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text, message in (("{", "damaged: JSONDecodeError"), ("[]", "damaged: TypeError"), ("[" * 99999, "damaged")):
        (tmp_path / "manifest.json").write_text(text)
        assert message in refused(capsys, tmp_path, "--from-manifest", tmp_path / "manifest.json")
    assert "there is no such file" in refused(capsys, tmp_path, "--from-manifest", tmp_path / "none.json")


def test_usage(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, tmp_path, "--from-manifest", manifest, "--max-dsp", "7")
    assert "--max-dsp with --from-manifest" in said
    assert "--allow-differences without" in refused(capsys, tmp_path, "resnet8", "--allow-differences")
