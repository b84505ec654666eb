# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Hands points out to processes of Dask and collects them: first the fastest design of each board, then slower ones."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from resnet_hls import __version__
from resnet_hls.errors import UserError
from resnet_hls.fit.points import FAILED, Network, Point, Result, compute
from resnet_hls.fit.store import Store
from resnet_hls.processes import JOBS

if TYPE_CHECKING:
    from resnet_hls.driver import Options

#: Told of each point when it is known: how many are, of how many, and the point.
Progress = Callable[[int, int, Result], None]

#: A cluster that does not answer within so many seconds is not there.
_TIMEOUT = 10
#: As many significant digits as a target has: the fastest rate is known to no more.
_DIGITS = 4


def targets_below(fps: float, count: int) -> list[float]:
    """Rates to ask for below the fastest: half, a quarter, …; rounded, so that they read well."""
    return [float(f"{fps / 2**n:.{_DIGITS}g}") for n in range(1, count + 1)]


def fit(
    network: Network,
    options: Sequence[Options],
    slower: int,
    store: Store,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Progress = lambda done, total, result: None,
) -> list[Result]:
    """Compute all points, those left out that are stored already; each is stored as soon as it is known.

    Args:
        network: up to its dataflow stage.
        options: for each board, without a target.
        slower: how many designs besides the fastest of each board.
        store: of the output folder.
        scheduler: address of a Dask cluster; processes of this machine without it.
        workers: how many processes of this machine; as many as it has processors without it.
        progress: called for each point.

    Returns:
        The points in the order of `options`, the fastest of a board first.

    Raises:
        UserError: Dask is not there, the cluster does not answer, or the folder cannot be written.
    """
    found: dict[tuple[str, float | None], Result] = {}
    total = len(options) * (1 + slower)
    waiting = [(Point(given), store.get(Point(given).key(network))) for given in options]
    pending: list[Point] = []

    def known(point: Point, result: Result) -> list[Point]:
        """Takes a result; gives the points that are to be computed now."""
        found[point.options.board.name, point.options.target_fps] = result
        progress(len(found), max(total, len(found)), result)
        if point.options.target_fps is not None:
            return []
        needed = []
        for fps in targets_below(result["fps"], slower) if "fps" in result else []:
            below = Point(replace(point.options, target_fps=fps))
            stored = store.get(below.key(network))
            needed += known(below, stored) if stored is not None else [below]
        return needed

    for point, stored in waiting:
        pending += [point] if stored is None else known(point, stored)
    if pending:
        with _client(scheduler, workers, total) as client:
            _compute(client, network, pending, store, known)
    order = {given.board.name: number for number, given in enumerate(options)}
    return [found[key] for key in sorted(found, key=lambda key: (order[key[0]], -(key[1] or float("inf"))))]


def _compute(
    client: Any, network: Network, pending: list[Point], store: Store, known: Callable[[Point, Result], list[Point]]
) -> None:
    from distributed import as_completed

    shared = client.scatter(network, broadcast=True)

    def submit(point: Point) -> Any:
        future = client.submit(compute, shared, point, __version__, pure=False, retries=0)
        points[future.key] = point
        return future

    points: dict[str, Point] = {}
    running = as_completed([submit(point) for point in pending], loop=client.loop)
    for future in running:
        point = points[future.key]
        error = future.exception() if future.status != "finished" else None
        if error is None:
            result = future.result()
        else:
            message = " ".join(f"{type(error).__name__}: {error}".split())
            help = "run it alone: resnet-hls build with the same board and --target-fps"
            about = {"board": point.options.board.name, "clock_mhz": point.options.board.clock_mhz}
            result = {**about, "target_fps": point.options.target_fps, "status": FAILED, "message": message}
            result |= {"help": help, "seconds": 0.0}
        store.put(point.key(network), result)
        for below in known(point, result):
            running.add(submit(below))


@contextlib.contextmanager
def _client(scheduler: str | None, workers: int | None, points: int) -> Iterator[Any]:
    """A client of a cluster, which ends with it where it is one of this machine."""
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        help = "pip install 'resnet-hls[fit]'"
        raise UserError(f"fit needs Dask, which is not installed ({error.name})", help=help) from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    # A design that ends its process does so again in another one.
    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.comm.timeouts.connect": f"{_TIMEOUT}s"}
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(settings))
        if scheduler is None:
            count = max(1, min(points, workers or len(os.sched_getaffinity(0))))
            cluster: Any = stack.enter_context(
                LocalCluster(
                    n_workers=count,
                    threads_per_worker=1,
                    processes=True,
                    env={JOBS: "1"},  # each designs one point: the points are what is done at the same time
                    dashboard_address=None,
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                )
            )
        else:
            cluster = scheduler
        try:
            client = stack.enter_context(Client(cluster, timeout=_TIMEOUT, set_as_default=False))
        except (OSError, ValueError) as error:
            message = f"no Dask scheduler answers: {' '.join(str(error).split())}"
            raise UserError(message, where=str(scheduler), help="give an address like tcp://host:8786") from None
        yield client
