# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling and running projects."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from sample_project import Sample, random_images, write_sample

from resnet_hls.errors import UserError
from resnet_hls.simulate import csim


@pytest.mark.parametrize("headers", ["fast", "bounded", "xilinx"])
def test_every_set_of_headers_gives_the_same(
    headers: csim.Headers, compiler: csim.Compiler, sample: Sample, request: pytest.FixtureRequest
) -> None:
    if headers == "xilinx":
        request.getfixturevalue("xilinx_headers")
        if compiler == "clang++":
            pytest.skip("takes long, and test/lib/test_ap_int.py compares the headers")
    executable = csim.compile_testbench(sample.folder, headers=headers, compiler=compiler)
    assert csim.run_bundled(executable, sample.folder) == "testbench: 3/3 frames bit-exact"
    images = random_images(101)
    np.testing.assert_array_equal(csim.run(executable, images, at_once=2), sample.expected(images))
    np.testing.assert_array_equal(csim.run(executable, images[:7], batch=3), sample.expected(images[:7]))


def test_sources_compile_without_warnings(compiler: str, sample: Sample, repository: Path) -> None:
    library = repository / "lib" / "csim"
    sources = [*sorted((sample.folder / "src").glob("*.cpp")), *sorted((sample.folder / "tb").glob("*.cpp"))]
    flags = ["-std=c++14", "-O3", "-Wall", "-Wextra", "-Wpedantic", "-Wno-unknown-pragmas", "-fsyntax-only"]
    for source in sources:
        folders = [sample.folder / "src", library / "bounded", library]
        command = [compiler, *flags, *(f"-I{folder}" for folder in folders), str(source)]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""


def test_executables_are_cached(sample: Sample) -> None:
    first = csim.compile_testbench(sample.folder)
    written = first.stat().st_mtime_ns
    assert csim.compile_testbench(sample.folder) == first
    assert first.stat().st_mtime_ns == written
    assert sorted(path.name for path in sample.folder.iterdir()) == ["manifest.json", "src", "tb"]


def test_a_change_of_a_source_is_compiled(sample: Sample, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(sample.folder, project)
    before = csim.compile_testbench(project)
    weights = project / "src" / "weights.h"
    weights.write_text(weights.read_text().replace("bias[4] = {", "bias[4] = {1 + "))
    assert csim.compile_testbench(project) != before


def test_the_test_bench_reports_a_difference(sample: Sample, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(sample.folder, project)
    expected = bytearray((project / "tb" / "expected.bin").read_bytes())
    expected[120 + 7] ^= 1
    (project / "tb" / "expected.bin").write_bytes(expected)
    executable = csim.compile_testbench(project)
    # Tools copy the executable and the vectors into a folder of their own.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("images.bin", "expected.bin"):
        shutil.copy(project / "tb" / name, elsewhere)
    for arguments, folder in (([], elsewhere), (["tb/images.bin", "tb/expected.bin"], project), ([], project)):
        result = subprocess.run([executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert result.returncode == 1
        lines = result.stdout.splitlines()
        assert lines[0].startswith("testbench: image 1, element 7: byte 0x")
        assert lines[1] == "testbench: 2/3 frames bit-exact"
    with pytest.raises(UserError, match="image 1, element 7"):
        csim.run_bundled(executable, project)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["one"], 2, "usage: testbench"),
        (["missing.bin", "missing.bin"], 1, "missing.bin: cannot be read"),
        (["manifest.json", "tb/expected.bin"], 1, "no multiple of the size of an image"),
        (["tb/images.bin", "manifest.json"], 1, "does not fit the number of images"),
        (["--run", "tb/images.bin", "no/such/folder"], 1, "cannot be written"),
    ],
)
def test_the_test_bench_refuses(sample: Sample, arguments: list[str], status: int, message: str) -> None:
    executable = csim.compile_testbench(sample.folder)
    result = subprocess.run([executable, *arguments], cwd=sample.folder, capture_output=True, text=True, check=False)
    assert result.returncode == status
    assert message in result.stderr


def test_too_shallow_a_stream_deadlocks(repository: Path, tmp_path: Path) -> None:
    include = repository / "lib" / "include"
    # The skip waits for one row and two pixels, less what the other streams hold.
    deep = write_sample(tmp_path / "deep", include, skip_depth=8)
    images = random_images(5)
    outputs = csim.run(csim.compile_testbench(deep.folder, headers="bounded"), images)
    np.testing.assert_array_equal(outputs, deep.expected(images))
    shallow = write_sample(tmp_path / "shallow", include, skip_depth=4)
    executable = csim.compile_testbench(shallow.folder, headers="bounded")
    with pytest.raises(UserError, match=r"task fork waits to write to stream 'skip' \(full, depth 4\); task window"):
        csim.run(executable, images)
    # Unbounded streams do not care.
    np.testing.assert_array_equal(csim.run(csim.compile_testbench(shallow.folder), images), deep.expected(images))


def test_missing_compiler(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UserError, match="compiler clang\\+\\+ is not on PATH") as caught:
        csim.compile_testbench(sample.folder, compiler="clang++")
    assert "install g++" in caught.value.help


def test_missing_vendor_headers(sample: Sample, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="vendor's headers are not installed") as caught:
        csim.compile_testbench(sample.folder, headers="xilinx")
    assert "pip install --no-deps hls4ml" in caught.value.help


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no project"):
        csim.compile_testbench(tmp_path)


def test_damaged_projects(sample: Sample, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(sample.folder, project)
    source = project / "src" / "tasks.cpp"
    source.write_text(source.read_text().replace("result.write(pixel);", "result.write(pixels);"))
    with pytest.raises(UserError, match=r"does not compile: .*pixels") as caught:
        csim.compile_testbench(project)
    assert "tasks.cpp" in caught.value.help
    (project / "tb" / "testbench.cpp").unlink()
    with pytest.raises(UserError, match=r"testbench.cpp: is missing"):
        csim.compile_testbench(project)
    (project / "manifest.json").write_text('{"name": "sample"')
    with pytest.raises(UserError, match=r"manifest.json: damaged"):
        csim.compile_testbench(project)


def test_images_of_another_size(sample: Sample) -> None:
    executable = csim.compile_testbench(sample.folder)
    with pytest.raises(UserError, match="no multiple of the size of an image"):
        csim.run(executable, np.zeros((1, 5, 5, 4), np.int8))
    with pytest.raises(UserError, match="expected bytes"):
        csim.run(executable, np.zeros((1, 5, 6, 4), np.float32))  # type: ignore[arg-type]
