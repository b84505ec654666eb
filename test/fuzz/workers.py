# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs cases in forked processes, so that a crash or a hang of one is a finding and the next one runs all the same."""

from __future__ import annotations

import faulthandler
import os
import random
import re
import resource
import select
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

#: One case: takes its random numbers and an empty folder, and says what became of it, "refused" or "accepted".
Case = Callable[[random.Random, Path], str]

_CASES_A_PROCESS = 250  # contexts of MLIR are not freed as soon as one would like
_MEMORY = 6 << 30
#: What a case prints below Python, in its folder.
ERRORS = "stderr"
#: The line that `tell_crashes` of `resnet_hls.tool` makes of a crash.
_TOLD = re.compile(rb"^\S+: error: .* (crashed on it \(SIG[A-Z]+\)|does not come to its end)$", re.MULTILINE)


class Wrong(AssertionError):
    """What must not happen: no clear error, or a result that is not the model's."""


@dataclass(frozen=True)
class Finding:
    """A case that went wrong; `target`, `seed` and `number` make it again."""

    target: str
    seed: int
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.target} --seed {self.seed} --only {self.number}: {self.what}"


@dataclass
class Outcome:
    """What became of the cases of a target.

    Attributes:
        verdicts: how many cases ended how.
        findings: those that went wrong.
        seconds: that it took.
        slowest: seconds of the slowest case.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    slowest: float = 0.0

    @property
    def cases(self) -> int:
        return sum(self.verdicts.values()) + len(self.findings)


def generator(target: str, seed: int, number: int) -> random.Random:
    """The random numbers of a case."""
    return random.Random(f"{target}/{seed}/{number}")


def run(
    target: str,
    case: Case,
    numbers: Iterable[int],
    folder: Path,
    seed: int = 0,
    limit: float = 60.0,
    until: float = float("inf"),
    report: Callable[[Finding], object] = lambda finding: None,
) -> Outcome:
    """Run cases, one after the other.

    Args:
        target: what it is called.
        case: runs one.
        numbers: of the cases.
        folder: for files; each case finds its own subfolder `N` empty, which stays where the case is a finding.
        seed: of all random numbers.
        limit: seconds for a case.
        until: when to stop, by `time.monotonic`.
        report: called with each finding.
    """
    waiting = list(numbers)[::-1]
    outcome, start = Outcome(), time.monotonic()
    while waiting and time.monotonic() < until:
        batch = [waiting.pop() for _ in range(min(_CASES_A_PROCESS, len(waiting)))]
        done = _batch(target, case, batch, folder, seed, limit, until, outcome, report)
        waiting += batch[done:][::-1]
    outcome.seconds = time.monotonic() - start
    return outcome


def _batch(
    target: str,
    case: Case,
    batch: list[int],
    folder: Path,
    seed: int,
    limit: float,
    until: float,
    outcome: Outcome,
    report: Callable[[Finding], object],
) -> int:
    """How many cases of the batch are done; a process that dies takes its case with it and no other."""
    sys.stdout.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        _work(target, case, batch, folder, seed, writer)
    os.close(writer)
    done, begun, lines = 0, time.monotonic(), b""

    def found(what: str) -> None:
        finding = Finding(target, seed, batch[done], what)
        outcome.findings.append(finding)
        report(finding)

    try:
        while done < len(batch):
            left = begun + limit - time.monotonic()
            ready, _, _ = select.select([reader], [], [], max(left, 0))
            data = os.read(reader, 1 << 16) if ready else b""
            if not ready or not data:
                if not ready:
                    os.kill(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)
                child = 0
                code = os.waitstatus_to_exitcode(status)
                if ready and code == 1 and _TOLD.search((folder / str(batch[done]) / ERRORS).read_bytes()):
                    outcome.verdicts["crashed below Python and told so"] += 1
                    return done + 1
                ending = f"signal {signal.Signals(-code).name}" if code < 0 else f"status {code}"
                found(f"the process ended with {ending}" if ready else f"did not end within {limit:g} s")
                return done + 1
            lines += data
            *whole, lines = lines.split(b"\n")
            for line in whole:
                verdict = line.decode(errors="replace")
                outcome.slowest = max(outcome.slowest, time.monotonic() - begun)
                begun = time.monotonic()
                if verdict.startswith("!"):
                    found(verdict[1:])
                else:
                    outcome.verdicts[verdict] += 1
                done += 1
            if time.monotonic() > until:
                break
        return done
    finally:
        os.close(reader)
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def _work(target: str, case: Case, batch: list[int], folder: Path, seed: int, writer: int) -> None:
    """In the forked process: never returns."""
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    import shutil

    try:
        for number in batch:
            own = folder / str(number)
            shutil.rmtree(own, ignore_errors=True)
            own.mkdir(parents=True)
            with (own / ERRORS).open("wb") as errors:
                os.dup2(errors.fileno(), 2)
            verdict = _judged(case, generator(target, seed, number), own)
            if b"Traceback" in (said := (own / ERRORS).read_bytes()) and not verdict.startswith("!"):
                verdict = "!printed " + said[said.index(b"Traceback") :].decode(errors="replace")[-300:]
            if not verdict.startswith("!"):
                shutil.rmtree(own)
            os.write(writer, verdict.replace("\n", " ").encode()[:2000] + b"\n")
    finally:
        os._exit(0)


def _judged(case: Case, random_numbers: random.Random, folder: Path) -> str:
    try:
        return case(random_numbers, folder)
    except Wrong as wrong:
        return f"!{wrong}"
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)
        where = ", ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-3:])
        return f"!{type(error).__name__}: {str(error)[:300]} ({where})"
