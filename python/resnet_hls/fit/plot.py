# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The points as a page that needs no network: frames a second against DSP slices, LUTs, power, with the fronts."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_hls.errors import UserError
from resnet_hls.fit.points import FITS, Result
from resnet_hls.fit.table import COSTS, cost, front

_AXES = {"dsp": "DSP slices (modelled)", "lut": "LUTs (modelled)", "power_w": "power in W (modelled)"}
#: Told apart by shape as well as by colour.
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "star", "x", "pentagon", "hexagon")


def page(name: str, results: Sequence[Result]) -> str:
    """HTML with plotly's JavaScript inside; the same points give the same page.

    Raises:
        UserError: plotly is not there.
    """
    try:
        from plotly import graph_objects
        from plotly.subplots import make_subplots
    except ImportError as error:
        help = "pip install 'resnet-hls[fit]'"
        raise UserError(f"fit needs plotly, which is not installed ({error.name})", help=help) from None
    fitting = [result for result in results if result["status"] == FITS]
    kinds = [k for k in COSTS if k != "power_w" or any(cost(result, k) is not None for result in fitting)]
    figure = make_subplots(rows=1, cols=len(kinds), shared_yaxes=True, horizontal_spacing=0.04)
    boards = list(dict.fromkeys(result["board"] for result in results))
    colours = graph_objects.Figure().layout.template.layout.colorway or ("#1f77b4",)
    for column, kind in enumerate(kinds, 1):
        best = front(fitting, kind)
        figure.add_trace(
            graph_objects.Scatter(
                x=[cost(result, kind) for result in best],
                y=[result["fps"] for result in best],
                mode="lines",
                line={"shape": "hv", "color": "lightgray"},
                name="no design is better",
                legendgroup="front",
                showlegend=column == 1,
                hoverinfo="skip",
            ),
            row=1,
            col=column,
        )
        for number, board in enumerate(boards):
            shown = [r for r in fitting if r["board"] == board and cost(r, kind) is not None]
            figure.add_trace(
                graph_objects.Scatter(
                    x=[cost(result, kind) for result in shown],
                    y=[result["fps"] for result in shown],
                    mode="markers",
                    name=board,
                    legendgroup=board,
                    showlegend=column == 1,
                    marker={
                        "symbol": _SYMBOLS[number % len(_SYMBOLS)],
                        "color": colours[number % len(colours)],
                        "size": 10,
                    },
                    text=[_told(result) for result in shown],
                    hovertemplate="%{text}<extra></extra>",
                ),
                row=1,
                col=column,
            )
        figure.update_xaxes(title_text=_AXES[kind], rangemode="tozero", row=1, col=column)
    figure.update_yaxes(title_text="frames a second (simulated)", rangemode="tozero", row=1, col=1)
    figure.update_layout(title_text=f"{name}: designs that fit")
    html: str = figure.to_html(
        include_plotlyjs=True, full_html=True, div_id="fit", config={"displaylogo": False, "showSendToCloud": False}
    )
    return html


def _told(result: Result) -> str:
    takes = ", ".join(f"{entry['used']:,g} {kind}" for kind, entry in result["resources"].items() if entry["used"])
    return f"{result['board']}: {result['fps']:,.0f} frames/s, {result['latency_ms']:.3f} ms<br>{takes}"
