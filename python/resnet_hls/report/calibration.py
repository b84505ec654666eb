# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How far the resource model is off, learnt from what the vendor's tools made of designs: a TOML file of the user's.

The file has a table for each design that was imported, modelled beside real, and for each family of devices a factor a
resource: the geometric mean of real by modelled over its designs. `build --resource-factors FILE` multiplies with
them: a budget of 100 LUTs holds a design of 80 modelled ones where the factor is 1.25. The factors may as well be
written by hand. Nothing here depends on MLIR.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resnet_hls.boards import FAMILIES, RESOURCES, Resources
from resnet_hls.errors import UserError
from resnet_hls.files import replace_file

#: Factor by resource; those that nothing is known of are left out.
Factors = Mapping[str, float]

_HEAD = """\
# How far the resource model is off. `resnet-hls report DIR --import FILE --refit THIS` adds designs and computes the
# factors anew, `resnet-hls build --resource-factors THIS` uses them. Real = factor x modelled.
"""
_HELP = "`resnet-hls report DIR --import FILE --refit FILE.toml` writes such a file"
#: Farther from 1 a factor is a mistake: another design's report, or another unit.
_MOST = 10.0


def load(path: Path, family: str) -> Factors:
    """The factors for a family of devices.

    Raises:
        UserError: no such file, malformed, or factors that make no sense.
    """
    scale = _read(path).get("scale", {})
    if not isinstance(scale, dict):
        raise UserError("'scale' is no table", where=str(path), help=_HELP)
    for name, factors in scale.items():
        if name not in FAMILIES or not isinstance(factors, dict):
            help = f"the families are {', '.join(FAMILIES)}; {_HELP}"
            raise UserError(f"'scale.{name}' is no table of a family", where=str(path), help=help)
        check(factors, f"scale.{name}.", str(path))
    if family not in scale:
        raise UserError(f"has no factors for {family} devices", where=str(path), help=_HELP)
    return {kind: float(factor) for kind, factor in scale[family].items()}


def check(factors: Mapping[str, Any], prefix: str, where: str) -> None:
    """Whether factors make sense.

    Args:
        factors: by resource.
        prefix: of their keys in the file.
        where: they come from.

    Raises:
        UserError: they don't.
    """
    for kind, factor in factors.items():
        number = isinstance(factor, int | float) and not isinstance(factor, bool)
        if kind not in RESOURCES or not number or not 1 / _MOST <= factor <= _MOST:
            help = f"the resources are {', '.join(RESOURCES)}, factors lie between {1 / _MOST:g} and {_MOST:g}"
            raise UserError(f"'{prefix}{kind}' is {factor!r}", where=where, help=help)


def modelled(usable: Resources, factors: Factors) -> Resources:
    """The most that the model may count, so that what it really takes is no more than `usable`."""
    return Resources(**{kind: math.floor(getattr(usable, kind) / factors.get(kind, 1.0)) for kind in RESOURCES})


def with_factors(report: dict[str, Any], factors: Factors) -> dict[str, Any]:
    """A report whose resources say, beside what is `used` in the model, what that is `calibrated` with the factors."""
    resources = {
        kind: {**entry, "calibrated": round(entry["used"] * factors[kind], 1)} if kind in factors else entry
        for kind, entry in report["resources"].items()
    }
    return {**report, "resources": resources}


def refit(path: Path, design: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Add a design to a calibration file, which is made where there is none, and compute the factors.

    Args:
        path: of the file.
        design: `model`, `board`, `family`, `source` (texts), `modelled` and `real` (by resource); one with the same
            texts is replaced.

    Returns:
        The factors of each family.

    Raises:
        UserError: a file that is no calibration, or cannot be written; figures that are another design's.
    """
    content = _read(path) if path.exists() else {}
    designs = content.get("design", [])
    texts = ("model", "board", "family", "source")
    if not isinstance(designs, list) or not all(_is_design(entry, texts) for entry in designs):
        raise UserError("its designs are damaged", where=str(path), help="give a new file")
    designs = [entry for entry in designs if any(entry[key] != design[key] for key in texts)] + [dict(design)]
    scale = {family: factors for family in FAMILIES if (factors := _fit(designs, family))}
    for kind, factor in scale.get(design["family"], {}).items():
        if not 1 / _MOST <= factor <= _MOST:
            help = f"is it the report of this very design? {path} is left as it was"
            raise UserError(f"real is {factor:g} x {kind} of the model", where=str(design["source"]), help=help)
    lines = [_HEAD]
    for family, factors in scale.items():
        lines += [f'[scale."{family}"]', *(f"{kind} = {factor:.4f}" for kind, factor in factors.items()), ""]
    for entry in designs:
        lines.append("[[design]]")
        lines += [f"{key} = {_quoted(entry[key])}" for key in texts]
        for key in ("modelled", "real"):
            amounts = ", ".join(f"{kind} = {float(entry[key][kind])!r}" for kind in RESOURCES)
            lines.append(f"{key} = {{ {amounts} }}")
        lines.append("")
    try:
        replace_file(path, "\n".join(lines))
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", where=str(path), help="choose another path") from None
    return scale


def _is_design(entry: Any, texts: tuple[str, ...]) -> bool:
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in texts):
        return False
    tables = [entry.get(key) for key in ("modelled", "real")]
    return all(isinstance(t, dict) and all(isinstance(t.get(kind), int | float) for kind in RESOURCES) for t in tables)


def _fit(designs: list[dict[str, Any]], family: str) -> dict[str, float]:
    found = {}
    for kind in RESOURCES:
        pairs = [(entry["modelled"][kind], entry["real"][kind]) for entry in designs if entry["family"] == family]
        logs = [math.log(real / model) for model, real in pairs if model > 0 and real > 0]
        if logs:
            found[kind] = round(math.exp(sum(logs) / len(logs)), 4)
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path), help=_HELP) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"is no TOML: {error}", where=str(path), help=_HELP) from None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
