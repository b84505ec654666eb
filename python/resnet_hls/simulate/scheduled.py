# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The scheduled design in a project, as `build` wrote it or as someone changed it. Writes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from torch_mlir import ir

from resnet_hls import pipelines
from resnet_hls.analysis.network import network_of
from resnet_hls.context import make_context
from resnet_hls.contracts.verify_scheduled import check_schedule
from resnet_hls.diagnostics import Collector, Diagnostic
from resnet_hls.errors import UserError
from resnet_hls.passes import PassFailure
from resnet_hls.project import manifest
from resnet_hls.simulate.cycles import Network

#: Where operations come from: left out, so that errors name lines of this file and not layers of the model.
_LOCATIONS = re.compile(r"(?<!=) loc\((?:#loc\d*|unknown)\)")


@dataclass(frozen=True)
class Design:
    """What is simulated.

    Attributes:
        name: of the top function.
        path: of its scheduled module.
        clock_mhz: of the accelerator.
        network: its tasks and streams.
    """

    name: str
    path: Path
    clock_mhz: float
    network: Network


def read(project: Path) -> Design:
    """The design of a project.

    Args:
        project: folder that `resnet-hls build` wrote.

    Raises:
        UserError: no project, a manifest without a clock, no scheduled module, no MLIR in it, or what breaks the
            contract: a stream without a writer or a reader, with two, without room; the error names file and line.
    """
    found = manifest.read(project)
    if found.clock_mhz is None:
        raise UserError("names no clock", where=str(project / "manifest.json"), help="build the project again")
    path = project / "ir" / pipelines.SCHEDULE.file
    return Design(found.name, path, found.clock_mhz, _network(path))


def _network(path: Path) -> Network:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        help = "name a folder that `resnet-hls build … -o DIR` wrote, or build the project again"
        raise UserError("there is no such file", where=str(path), help=help) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(path), help="check the path") from None
    except UnicodeDecodeError:
        raise UserError("is no MLIR text", where=str(path), help="build the project again") from None
    text = _LOCATIONS.sub("", text)
    context, collector = make_context(), Collector(str(path))
    collector.attach(context)
    try:
        module = ir.Module.parse(text, context)
        with context, module.operation.location:
            check_schedule(module.operation)
            network = network_of(module.operation)
        network.compiled()  # checks what is left to check
    except ir.MLIRError:
        raise _error(collector.errors[0], text) from None
    except PassFailure as failure:
        collector.add_failure(failure)
        raise _error(collector.errors[0], text) from None
    except (ValueError, KeyError) as error:  # an attribute of another kind than it should be, or a wrong number
        help = "undo what was changed there, or build the project again"
        raise UserError(f"cannot be simulated: {error}", where=str(path), help=help) from None
    return network


def _error(found: Diagnostic, text: str) -> UserError:
    lines = text.split("\n")
    shown = ""
    if found.line is not None and found.line <= len(lines):
        line = lines[found.line - 1].strip()
        shown = f"line {found.line} reads '{line if len(line) <= 80 else f'{line[:77]}...'}'; "
    return UserError(found.message, where=found.where, help=found.help or f"{shown}mend it, or build the project again")
