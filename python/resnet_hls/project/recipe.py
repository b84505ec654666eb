# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `manifest.json` says of how a project was built, so that the build can be repeated: byte by byte, or not at all.

Nothing of the model is executed because a manifest says so: code of the user's is named by the user.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from resnet_hls import __version__, boards, driver
from resnet_hls.boards import RESOURCES, Board
from resnet_hls.errors import UserError
from resnet_hls.frontend import sources
from resnet_hls.frontend.torch_factory import is_factory
from resnet_hls.models import BUNDLED
from resnet_hls.report import calibration
from resnet_hls.resources import compiler_hash

_LONGEST_LIST = 5
_DIFFER = "--allow-differences builds with what is here, and says which files differ"


def board_content(board: Board) -> dict[str, Any]:
    """The keys of a board's file that the manifest has not elsewhere."""
    return {
        "title": board.title,
        "family": board.family,
        "resources": asdict(board.resources),
        "budget": asdict(board.budget),
        **({} if board.platform is None else {"platform": asdict(board.platform)}),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """The versions of what a project depends on: this package, Python, `packages`; "none" where one is not there."""
    found = {"resnet-hls": __version__, "python": f"{sys.version_info.major}.{sys.version_info.minor}"}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except (metadata.PackageNotFoundError, ValueError):  # an empty name
            found[name] = "none"
    return found


@dataclass(frozen=True)
class Recipe:
    """How a project was built.

    Attributes:
        path: of the manifest.
        content: of the manifest.
        name: of the top function.
        model: as the manifest names it: a base name, a bundled network, `module.py:factory`.
        options: of the build, with the board as it was then.
    """

    path: Path
    content: dict[str, Any]
    name: str
    model: str
    options: driver.Options

    def check_versions(self) -> list[str]:
        """What is not here as it was then: packages of another version, another state of the compiler; a line each."""
        recorded = self.content["versions"]
        here = versions(name for name in recorded if name not in ("resnet-hls", "python"))
        different = [
            f"{name} {wanted}, here it is {here[name]}" if here[name] != "none" else f"{name} {wanted}, not installed"
            for name, wanted in recorded.items()
            if here[name] != wanted
        ]
        if not different and self.content["compiler_sha256"] != compiler_hash():
            different = [f"another state of resnet-hls {__version__}: its own files are not those of then"]
        return different

    def source(self, model: str | None) -> sources.Source:
        """The model, which is the one that was built then.

        Args:
            model: where it is; None to look for it: in the current folder, beside the manifest and its folder, and what
                the project keeps of it.

        Raises:
            UserError: it is not found, or its files are others.
        """
        wanted = self.content["sha256"]
        found = sources.find(self._locate(wanted) if model is None else model, self.name)
        sums = found.file_hashes()
        if found.kind != self.content["source_kind"] or (not sums and found.model != self.model):
            raise UserError(
                f"is not the model of then, which was {self.model}",
                where=model or self.model,
                help="give the model that was built then, or build this one without --from-manifest",
            )
        for what, actual in sums.items():
            recorded = wanted.get(what, "none")
            if actual != recorded:
                raise UserError(
                    f"is not the model of then: SHA-256 {actual[:12]}…, {self.path} records {recorded[:12]}…",
                    where=model or self.model,
                    help="give the model that was built then, or build this one without --from-manifest",
                )
        found.model = self.model
        return found

    def _locate(self, wanted: Mapping[str, str]) -> str:
        """Where a model with the recorded sums is.

        Raises:
            UserError: nowhere, or only code would tell.
        """
        if self.model in BUNDLED:
            return self.model
        again = f"--from-manifest {shlex.quote(str(self.path))}"
        if is_factory(self.model):
            raise UserError(
                f"was built from {self.model}, and a manifest runs no code by itself",
                where=str(self.path),
                help=f"name the function: resnet-hls build {shlex.quote(self.model)} {again}",
            )
        base = Path(self.model).name
        if not self.model or base != self.model or not base.endswith((".onnx", ".safetensors")):
            raise UserError(
                f"was built from '{self.model}', which names no file",
                where=str(self.path),
                help=f"say where the model is: resnet-hls build MODEL {again}",
            )
        project = self.path.resolve().parent
        places = [Path(base), project / base, project.parent / base, project / "reference" / "model.onnx"]
        sums = {wanted.get("model"), wanted.get("source")}
        for place in places:
            if place.suffix == Path(base).suffix and place.is_file() and sources.hash_of(place) in sums:
                return str(place)
        raise UserError(
            f"was built from {base}, which is not here: SHA-256 {next(iter(wanted.values()), '')[:12]}…",
            where=str(self.path),
            help=f"say where it is: resnet-hls build MODEL {again}",
        )

    def differences(self, manifest: Mapping[str, Any]) -> list[str]:
        """The files of a new build that differ from those of then, by path; those that only one of them has, too."""
        then, now = self.content["files"], manifest["files"]
        names = sorted({name for name in {*then, *now} if then.get(name) != now.get(name)})
        return names if names or manifest == self.content else ["manifest.json"]


def read(path: Path) -> Recipe:
    """What a manifest records.

    Raises:
        UserError: no such file, no manifest of this version, or values that make no sense.
    """
    help = "name the manifest.json of a folder that `resnet-hls build … -o DIR` wrote"
    path = path / "manifest.json" if path.is_dir() else path
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return _recipe(path, content)
    except FileNotFoundError:
        raise UserError("there is no such file", where=str(path), help=help) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path), help=help) from None
    except KeyError as error:
        raise UserError(f"does not say how to build: {error} is missing", where=str(path), help=help) from None
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"damaged: {type(error).__name__}: {reason}", where=str(path), help=help) from None


def _recipe(path: Path, content: Any) -> Recipe:
    for key, kind in (("name", str), ("model", str), ("source_kind", str), ("compiler_sha256", str), ("options", dict)):
        if not isinstance(content[key], kind):
            raise TypeError(f"'{key}' is no {'text' if kind is str else 'table'}")
    for key in ("sha256", "versions", "files"):
        if not isinstance(content[key], dict) or not all(isinstance(value, str) for value in content[key].values()):
            raise TypeError(f"'{key}' is no table of texts")
    given = content["options"]
    keys = {"part": content["part"], "clock_mhz": given["clock_mhz"], **content["board_definition"]}
    board = boards.parse(keys, str(content["board"]), str(path))
    factors = given.get("resource_factors", {})
    calibration.check(factors, "resource_factors.", str(path))
    for key in ("target_fps", "effort", *(f"max_{name}" for name in RESOURCES)):
        kinds = (int, float) if key in ("target_fps", "effort") else (int,)
        if given.get(key) is not None and type(given[key]) not in kinds:
            raise TypeError(f"'{key}' is no number")
    options = driver.make_options(
        board,
        None,  # the board has it
        given["target_fps"],
        given["max_dsp"],
        given["without"],
        given["objective"],
        given.get("max_lut"),
        given.get("max_ff"),
        given.get("max_bram36"),
        given.get("max_uram"),
        factors,
        given["effort"],
        given["weights"],
    )
    return Recipe(path, content, content["name"], content["model"], options)


def check_versions(recipe: Recipe, allow: bool) -> list[str]:
    """What is not here as it was then, as notes.

    Raises:
        UserError: something, and differences are not allowed.
    """
    different = recipe.check_versions()
    if different and not allow:
        pins = " ".join(
            shlex.quote(f"{name}=={wanted}")
            for name, wanted in recipe.content["versions"].items()
            if name not in ("resnet-hls", "python") and any(line.startswith(f"{name} ") for line in different)
        )
        install = f"pip install {pins}; or " if pins else ""
        raise UserError(f"was built with {'; '.join(different)}", where=str(recipe.path), help=f"{install}{_DIFFER}")
    return [f"built with {line}" for line in different]


class Repetition:
    """Compares what is built with what was built then, before the folder appears: `accept` of `write_project`."""

    def __init__(self, recipe: Recipe, allow: bool) -> None:
        self.recipe = recipe
        self.allow = allow
        self.line = ""
        """What came of it."""

    def __call__(self, manifest: Mapping[str, Any]) -> None:
        """Compare.

        Raises:
            UserError: files differ, and differences are not allowed.
        """
        different = self.recipe.differences(manifest)
        total = len(manifest["files"]) + 1
        if not different:
            self.line = f"all {total} files are those that {self.recipe.path} records, byte by byte"
            return
        more = len(different) - _LONGEST_LIST
        shown = ", ".join(different[:_LONGEST_LIST]) + (f" and {more} more" if more > 0 else "")
        self.line = f"{len(different)} of {total} files differ from those that {self.recipe.path} records: {shown}"
        if not self.allow:
            raise UserError(self.line, help=f"nothing was written; {_DIFFER}")
