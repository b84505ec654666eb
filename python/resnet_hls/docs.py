# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The documentation of the passes from their docstrings, options and tests, and the other generated files.

`python -m resnet_hls.docs` writes docs/passes.md, docs/passes/, docs/pictures/ and the IRDL of the `hls` dialect; with
`--check` it only says, by its exit status, whether they are current.
"""

import inspect
import sys
from collections.abc import Mapping
from pathlib import Path

from resnet_hls.dialects.hls import irdl_text
from resnet_hls.errors import UserError
from resnet_hls.passes._registry import all_passes
from resnet_hls.tool import ArgumentParser, read_input, run_tool, write_output


def passes_text() -> str:
    """What `--help-passes` prints: every registered pass, also a user's own."""
    parts = []
    for cls in all_passes():
        lines = [cls.name, *_indented(inspect.getdoc(cls) or "")]
        if options := cls.options():
            lines += ["", "    Options:"]
            for option in options:
                default = f" (default: {option.default_text})" if option.default_text else ""
                lines += [
                    f"      {option.name}=<{option.type_text}>{default}{': ' + option.help if option.help else ''}"
                ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _indented(text: str) -> list[str]:
    return [f"    {line}".rstrip() for line in text.splitlines()]


def generated_files(root: Path) -> dict[str, str]:
    """The files that are generated from the sources: path in the source tree -> text.

    Args:
        root: of the source tree.

    Raises:
        UserError: a pass has no lit test that could be its example.
    """
    from resnet_hls.pass_pages import pages
    from resnet_hls.pictures import pictures

    return {**pages(root), **pictures(), "dialects/hls/hls.irdl.mlir": irdl_text()}


def outdated_files(root: Path, generated: Mapping[str, str]) -> list[Path]:
    """Pages of passes that are no more."""
    return sorted(path for path in root.glob("docs/passes/*.md") if path.relative_to(root).as_posix() not in generated)


def main() -> int:
    """Write the generated files, or check them."""
    return run_tool("resnet_hls.docs", lambda: _run(sys.argv[1:]))


def _run(arguments: list[str]) -> int:
    parser = ArgumentParser(
        prog="resnet_hls.docs",
        description="Write what is generated: documentation of passes, pictures, the dialect's IRDL.",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is not current")
    parser.add_argument(
        "-o", dest="root", default=str(Path(__file__).resolve().parents[2]), help="root of the source tree"
    )
    options = parser.parse_args(arguments)
    root = Path(options.root)
    files = generated_files(root)
    for path in outdated_files(root, files):
        if options.check:
            raise UserError("is of no pass", where=str(path.relative_to(root)), help="run 'python -m resnet_hls.docs'")
        path.unlink()
    for name, text in files.items():
        path = root / name
        if not options.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_output(str(path), text)
        elif read_input(str(path)).decode() != text:
            raise UserError("is not current", where=name, help="run 'python -m resnet_hls.docs'")
    return 0


if __name__ == "__main__":
    sys.exit(main())
