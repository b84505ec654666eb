# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile and run the C++ of a project: the test bench with one of three sets of headers.

* `fast`: the stand-ins of `lib/csim`, unbounded streams; exact, hundreds to thousands of images a second.
* `xilinx`: the vendor's own `ap_int.h` and `hls_stream.h`, from the hls4ml wheel.
* `bounded`: the stand-ins, with every stream no deeper than the project says; finds deadlocks.

Executables are kept in a cache outside the project, named by a hash of all that went into them; nothing is written into
the project.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from resnet_hls import processes
from resnet_hls.errors import UserError
from resnet_hls.progress import Told, silent
from resnet_hls.project import manifest
from resnet_hls.project.testbench import WEIGHTS_FILE
from resnet_hls.resources import library_folder

Headers = Literal["fast", "xilinx", "bounded"]
Compiler = Literal["g++", "clang++"]
Bytes = NDArray[np.int8] | NDArray[np.uint8]

# With the vendor's headers -O3 and vector instructions cost compile time and gain nothing.
_OPTIMIZE = {"fast": ["-O3", "-march=native"], "bounded": ["-O3", "-march=native"], "xilinx": ["-O2"]}
_EXIT_DEADLOCK = 4  # lib/csim/bounded/dataflow.h
_CACHED_EXECUTABLES = 32
#: Frames in a call: enough that what runs together of several frames does, few enough for memory.
BATCH = 16
#: Frames that a process gets at least where there are as many, for the same reason.
_FRAMES_A_PROCESS = 4
#: And at most, so that one can see how far they are.
_MOST_FRAMES = 250


@dataclass(frozen=True)
class _Build:
    """How the sources of a project become one executable."""

    compiler: str
    flags: tuple[str, ...]
    sources: tuple[Path, ...]
    headers: tuple[Path, ...]

    def key(self) -> str:
        """A hash of the compiler, the flags, every file that is read, and the machine (because of -march=native)."""
        digest = hashlib.sha256()
        version = subprocess.run([self.compiler, "--version"], capture_output=True, check=False).stdout
        for text in (version, *(flag.encode() for flag in self.flags), platform.node().encode()):
            digest.update(hashlib.sha256(text).digest())
        for path in (*self.sources, *self.headers):
            digest.update(hashlib.sha256(path.name.encode()).digest())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()[:24]


def compile_testbench(
    project: Path,
    *,
    headers: Headers = "fast",
    compiler: Compiler = "g++",
    jobs: int | None = None,
    optimize: bool = True,
) -> Path:
    """Compiles the accelerator and its test bench, or finds the executable in the cache.

    Args:
        project: folder that `resnet-hls build` wrote.
        headers: see the module.
        compiler: found on PATH; the environment variable CXX does not matter.
        jobs: compilers that run at a time; `processes.most()` by default.
        optimize: compile for speed; without, compiling is faster, which pays for a few small images.

    Returns:
        The executable; it takes the arguments of `tb/testbench.cpp`.

    Raises:
        UserError: no project, no such compiler, no hls4ml for its headers, or the sources do not compile.
    """
    build = _plan(Path(project), headers, compiler, optimize)
    cache = cache_folder() / "csim"
    executable = cache / build.key() / "testbench"
    if executable.is_file():
        os.utime(executable.parent)
        return executable
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        help = "set RESNET_HLS_CACHE to a folder that can be written"
        raise UserError(f"cannot be made: {error.strerror}", where=str(cache), help=help) from None
    with tempfile.TemporaryDirectory(dir=cache, prefix="compiling-") as folder:
        objects = [Path(folder, f"{number}.o") for number in range(len(build.sources))]
        commands = [
            [build.compiler, *build.flags, "-c", str(source), "-o", str(target)]
            for source, target in zip(build.sources, objects, strict=True)
        ]
        # The longest compilation first: it decides how long all of them take.
        order = sorted(range(len(commands)), key=lambda number: -build.sources[number].stat().st_size)
        with ThreadPoolExecutor(jobs or processes.most()) as pool:
            list(pool.map(_compile, [commands[number] for number in order]))
        linked = Path(folder, "linked")
        linked.mkdir()
        _compile([build.compiler, *map(str, objects), "-o", str(linked / "testbench")])
        try:
            linked.rename(executable.parent)
        except OSError:  # another process was first
            if not executable.is_file():
                raise
    _prune(cache)
    return executable


def weights_of(project: Path) -> Path | None:
    """What a project's accelerator is loaded with at start; None where it needs nothing."""
    path = Path(project) / WEIGHTS_FILE
    return path if path.is_file() else None


def run(
    executable: Path,
    images: Bytes,
    *,
    at_once: int | None = None,
    batch: int = BATCH,
    weights: Path | None = None,
    progress: Told = silent,
) -> NDArray[np.int8]:
    """Runs images through a compiled test bench.

    Args:
        executable: of `compile_testbench`.
        images: (N, H, W, C), int8 or uint8: quantized images.
        at_once: processes that run at a time, each with its share of the images, `processes.most()` by default, but no
            more than have some frames each.
        batch: frames in a call of the accelerator, at least 1; the results do not depend on it.
        weights: `weights_of` the project; another file of this size gives other results.
        progress: told how many images are done.

    Returns:
        (N, output elements), int8: the bytes of the outputs (view them as uint8 where the output is unsigned).

    Raises:
        UserError: the accelerator deadlocks, breaks the protocol of its ports, or the images are not of its size.
    """
    if images.itemsize != 1 or images.ndim != 4:
        raise UserError(f"images are {images.dtype}{images.shape}, expected bytes of shape (N, H, W, C)")
    if len(images) == 0:
        return np.zeros((0, 0), np.int8)
    workers = min(at_once or processes.most(), max(1, len(images) // _FRAMES_A_PROCESS))
    parts = np.array_split(images, max(workers, len(images) // _MOST_FRAMES))
    with tempfile.TemporaryDirectory(prefix="resnet-hls-csim-") as folder:

        def run_part(number: int) -> NDArray[np.int8]:
            source, target = Path(folder, f"images{number}.bin"), Path(folder, f"outputs{number}.bin")
            source.write_bytes(parts[number].tobytes())
            _execute([str(executable), "--batch", str(batch), *_load(weights), "--run", str(source), str(target)])
            return np.frombuffer(target.read_bytes(), np.int8).reshape(len(parts[number]), -1)

        outputs: list[NDArray[np.int8]] = []
        progress("C simulation", 0, len(images))
        with ThreadPoolExecutor(workers) as pool:
            for part in pool.map(run_part, range(len(parts))):
                outputs.append(part)
                progress("C simulation", sum(map(len, outputs)), len(images))
        return np.concatenate(outputs)


def run_bundled(executable: Path, project: Path) -> str:
    """Runs the vectors of `tb/` and returns the line that the test bench prints.

    Raises:
        UserError: a frame is not bit-exact, or as `run`.
    """
    folder = Path(project) / "tb"
    files = [str(folder / name) for name in ("images.bin", "expected.bin")]
    return _execute([str(executable), *_load(weights_of(project)), *files]).strip()


def _load(weights: Path | None) -> list[str]:
    return [] if weights is None else ["--weights", str(weights)]


def cache_folder() -> Path:
    """Where this package keeps what it can make again: $RESNET_HLS_CACHE, or resnet-hls in the user's cache folder."""
    if chosen := os.environ.get("RESNET_HLS_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "resnet-hls"


def xilinx_headers() -> Path:
    """The folder of the vendor's open headers (`ap_int.h`, `hls_stream.h`) in the hls4ml wheel.

    Raises:
        UserError: hls4ml is not installed.
    """
    spec = importlib.util.find_spec("hls4ml")
    folder = Path(spec.origin).parent / "templates" / "vivado" / "ap_types" if spec and spec.origin else None
    if folder is None or not (folder / "ap_int.h").is_file():
        raise UserError(
            "the vendor's headers are not installed",
            where="--headers xilinx",
            help="pip install --no-deps hls4ml==1.3.0 (only its header files are used), or --headers fast",
        )
    return folder


def _plan(project: Path, headers: Headers, compiler: Compiler, optimize: bool) -> _Build:
    if headers not in get_args(Headers):
        raise UserError(f"no headers named '{headers}'", help=f"one of {', '.join(get_args(Headers))}", status=2)
    if shutil.which(compiler) is None:
        other = next((name for name in get_args(Compiler) if shutil.which(name)), None)
        advice = f"use {other}, which is there" if other else "install g++ (Debian, Ubuntu: apt install g++)"
        raise UserError(f"the compiler {compiler} is not on PATH", help=advice)
    name = manifest.read(project).name
    stand_ins = library_folder("csim")
    folders = {
        "fast": [stand_ins],
        "bounded": [stand_ins / "bounded", stand_ins],
        "xilinx": [xilinx_headers(), stand_ins] if headers == "xilinx" else [],
    }[headers]
    sources = sorted((project / "src").glob("*.cpp"))
    if headers == "bounded":
        sources = [path for path in sources if path.stem != name]
        sources.append(project / "tb" / "bounded_top.cpp")
    sources.append(project / "tb" / "testbench.cpp")
    for source in sources:
        if not source.is_file():
            raise UserError("is missing", where=str(source), help="build the project again")
    optimization = _OPTIMIZE[headers] if optimize else ["-O0"]
    flags = ["-std=c++14", *optimization, "-w", "-I", str(project / "src")]
    for folder in folders:
        flags += ["-I", str(folder)]
    included = [path for folder in (project / "src", *folders) for path in sorted(folder.rglob("*.h"))]
    return _Build(compiler, tuple(flags), tuple(sources), tuple(included))


def _compile(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = result.stderr.splitlines() or [f"ended with status {result.returncode}"]
        reason = next((line for line in lines if "error" in line or "undefined reference" in line), lines[-1])
        raise UserError(
            f"the project does not compile: {reason}",
            where=command[0],
            help=f"see all of it with: {shlex.join(command)}",
        )


def _execute(command: Sequence[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return result.stdout
    report = (result.stderr.strip() or result.stdout.strip() or f"ended with status {result.returncode}").splitlines()
    if result.returncode == _EXIT_DEADLOCK:
        raise UserError("; ".join(line.strip() for line in report), where="C simulation", help="deepen a full stream")
    raise UserError(report[0], where="C simulation", help=f"run the bundled vectors for comparison: {command[0]}")


def _prune(cache: Path) -> None:
    """Keeps the executables that were used last."""
    kept = sorted(
        (folder for folder in cache.iterdir() if (folder / "testbench").is_file()),
        key=lambda folder: folder.stat().st_mtime,
    )
    for folder in kept[:-_CACHED_EXECUTABLES]:
        shutil.rmtree(folder, ignore_errors=True)
