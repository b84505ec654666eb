# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Fuzzes for as long as one likes: `.venv/bin/python test/fuzz/campaign.py mlir pipelines --cases 5000`.

Findings are printed with what makes them again (`--seed S --only N`), and their files stay in the folder that is named.
Exit status 1 where there are any.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import pkgutil
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "frontend")]

import workers  # noqa: E402
from targets import available  # noqa: E402

#: Targets whose cases take a millisecond or ten, and how many times as many of these there are.
CHEAP, EASY = ("pipelines", "boards", "factors", "names", "manifests", "images"), 4


def main() -> int:
    """Run the targets that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="by default all")
    parser.add_argument(
        "--cases",
        type=int,
        default=1000,
        metavar="N",
        help=f"of each target (default: 1000), {EASY} times as many of those that are quick",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--only", type=int, metavar="N", help="one case, in this process, with its traceback")
    parser.add_argument("--minutes", type=float, default=1e6, metavar="M", help="for each target, at most")
    parser.add_argument("--limit", type=float, default=60, metavar="S", help="seconds for a case (default: 60)")
    parser.add_argument("--project", type=Path, metavar="DIR", help="that build wrote; by default one is built")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="for the files of findings")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="resnet-hls-fuzz-"))
    project = (options.project or built(folder)).resolve()
    load_everything()
    targets = available(project)
    if unknown := set(options.targets) - set(targets):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are {', '.join(targets)}")
    failed = False
    for name in options.targets or targets:
        case = targets[name]()
        if options.only is not None:
            own = folder / name / str(options.only)
            own.mkdir(parents=True, exist_ok=True)
            print(own, flush=True)
            print(case(workers.generator(name, options.seed, options.only), own))
            continue
        outcome = workers.run(
            name,
            case,
            range(options.cases * EASY if name in CHEAP else options.cases),
            folder / name,
            options.seed,
            options.limit,
            time.monotonic() + 60 * options.minutes,
            lambda finding: print(finding, flush=True),
        )
        failed = failed or bool(outcome.findings)
        ended = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(outcome.verdicts.items()))
        print(
            f"{name}: {outcome.cases:,} cases in {outcome.seconds:.0f} s, {ended}; slowest {outcome.slowest:.1f} s; "
            f"failures {len(outcome.findings)}",
            flush=True,
        )
    if failed:
        print(f"files of findings: {folder}/TARGET/N")
    return 1 if failed else 0


def load_everything() -> None:
    """Import the whole package now, so that whoever edits it during a campaign does not change what is fuzzed."""
    import resnet_hls

    for found in pkgutil.walk_packages(resnet_hls.__path__, "resnet_hls."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def built(folder: Path) -> Path:
    """The project of a tiny network."""
    from onnx_builders import classifier, save

    from resnet_hls import cli

    folder.mkdir(parents=True, exist_ok=True)
    model = save(classifier("qonnx"), folder / "tiny.onnx")
    with contextlib.redirect_stdout(sys.stderr):
        cli.main(["build", model, "-o", str(folder / "project"), "--effort", "1", "--force"])
    return folder / "project"


if __name__ == "__main__":
    sys.exit(main())
