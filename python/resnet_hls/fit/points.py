# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A point: the network on a board, for a number of frames a second. Everything up to the dataflow stage is shared.

`compute` runs in processes of Dask, on other machines perhaps: what it takes and gives is plain data.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from resnet_hls import __version__
from resnet_hls.boards import RESOURCES
from resnet_hls.pipelines import DATAFLOW, SCHEDULE, STAGES

if TYPE_CHECKING:
    from resnet_hls.driver import Options
    from resnet_hls.frontend.sources import Source

#: What can become of a point. A design that is larger than the budget does not fit, either.
FITS, TOO_LARGE, FAILED = "fits", "does not fit", "failed"

Result = dict[str, Any]


@dataclass(frozen=True)
class Network:
    """A network as all points share it: its name, its dataflow stage as text."""

    name: str
    text: str


@dataclass(frozen=True)
class Point:
    """A design to compute; its options tell the board and the frames a second, None for as many as fit."""

    options: Options

    def key(self, network: Network) -> str:
        """The same for a design that is computed from the same: network, options, passes, version."""
        told = {
            "version": __version__,
            "network": hashlib.sha256(network.text.encode()).hexdigest(),
            "passes": self.options.text(SCHEDULE),
            "board": asdict(self.options.board),
            "target_fps": self.options.target_fps,
            "limits": self.options.limits,
            "factors": dict(self.options.factors),
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:24]


def network_of(source: Source, options: Options) -> Network:
    """Import a model and run the stages that do not depend on a board.

    Raises:
        UserError: the model cannot be built.
    """
    from resnet_hls import driver
    from resnet_hls.errors import signals_deferred

    source.start()
    with signals_deferred():
        from resnet_hls.context import make_context
        from resnet_hls.passes import PassManager

        driver.warm_up()
    module = driver.parse(source.imported().bytecode, make_context())
    for stage in STAGES[: STAGES.index(DATAFLOW) + 1]:
        driver.run_stage(PassManager.parse(options.text(stage)), module, stage.name)
    return Network(source.name, driver.print_module(module))


def compute(network: Network, point: Point, version: str) -> Result:
    """One design: its rate, latency and resources, or why there is none.

    Args:
        network: up to its dataflow stage.
        point: what to make of it.
        version: of the project that asks; another one would compute something else.
    """
    began = time.monotonic()
    if version != __version__:
        message = f"this worker has resnet-hls {__version__}, {version} is asked for"
        return {**_about(point), "status": FAILED, "message": message, "help": "install the same version", "seconds": 0}
    from resnet_hls.errors import UserError
    from resnet_hls.passes import PassFailure

    try:
        found = _schedule(network, point)
    except PassFailure as failure:
        status = TOO_LARGE if failure.pass_name == "hls-balance" else FAILED
        found = {"status": status, "message": f"{failure} ({failure.pass_name})", "help": failure.help}
    except UserError as error:
        found = {"status": FAILED, "message": str(error), "help": error.help}
    return {**_about(point), **found, "seconds": round(time.monotonic() - began, 1)}


def _about(point: Point) -> Result:
    board = point.options.board
    return {"board": board.name, "clock_mhz": board.clock_mhz, "target_fps": point.options.target_fps}


def _schedule(network: Network, point: Point) -> Result:
    from resnet_hls import driver
    from resnet_hls.context import make_context
    from resnet_hls.passes import PassManager
    from resnet_hls.report.calibration import with_factors
    from resnet_hls.report.model import build_report

    options = point.options
    driver.warm_up()
    module = driver.parse(network.text.encode(), make_context())
    PassManager.parse(options.text(SCHEDULE)).run(module)
    with module.context:
        untiled = driver.parse(network.text.encode(), module.context)
    report = build_report(network.name, options.board, module.operation, (), (), untiled.operation, options.usable)
    report = with_factors(report, options.factors)
    resources = {
        kind: {
            "used": entry.get("calibrated", entry["used"]),
            "usable": entry["usable"],
            "available": entry["available"],
        }
        for kind, entry in report["resources"].items()
    }
    over = [kind for kind in RESOURCES if resources[kind]["used"] > resources[kind]["usable"]]
    message = ", ".join(f"{resources[k]['used']:,g} of {resources[k]['usable']:,} {k}" for k in over)
    return {
        "status": TOO_LARGE if over else FITS,
        "message": f"takes {message}" if over else "",
        "help": "lower --target-fps, or take a larger board" if over else "",
        "fps": report["fps"],
        "initiation_interval_cycles": report["initiation_interval_cycles"],
        "latency_ms": round(report["latency_cycles"] / options.board.clock_mhz / 1000, 4),
        "fps_limited_by": report["fps_limited_by"],
        "resources": resources,
        "limiting_resource": _fullest(resources),
        "power_w": report["power_w"],
    }


def _fullest(resources: dict[str, dict[str, float]]) -> str | None:
    """The resource of which the largest share of what may be used is taken; None where nothing is."""
    shares = {kind: entry["used"] / entry["usable"] for kind, entry in resources.items() if entry["usable"]}
    fullest = max(shares, key=lambda kind: shares[kind], default=None)
    return fullest if fullest is not None and shares[fullest] > 0 else None
