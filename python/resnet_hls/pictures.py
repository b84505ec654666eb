# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The pictures of docs/optimizations.md: what of a feature map waits where, at one moment."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

SIDE = 8  # of the map that is drawn
CELL = 22
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1c2733 }
  .small { font-size: 11px }
  rect { stroke: #8a99a8; stroke-width: 1; fill: none }
  .gone { fill: #eceff2 } .held { fill: #f2b84b } .window { fill: #4f8fd6 } .newest { fill: #2f9e6e }
  .skip { fill: #d96a6a } .frame { stroke: #1c2733; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e4eaf0 } rect { stroke: #5c6b7a } .frame { stroke: #e4eaf0 }
    .gone { fill: #2a333d } .held { fill: #b97f16 } .window { fill: #2f6db3 } .newest { fill: #1f7d55 }
    .skip { fill: #a84343 }
  }
"""
#: A pixel's class, of a map whose pixels arrive row by row.
Kind = Callable[[int, int], str]


def pictures() -> dict[str, str]:
    """Path in the source tree -> SVG."""
    made = {
        "temporal-reuse": _temporal_reuse(),
        "merged-windows": _merged_windows(),
        "residual-buffer": _residual_buffer(),
        "frames": _frames(),
    }
    return {f"docs/pictures/{name}.svg": text for name, text in made.items()}


def _number(y: int, x: int) -> int:
    return y * SIDE + x


def _map(left: int, top: int, title: str, kind: Kind, frames: list[tuple[int, int, int, int]]) -> list[str]:
    """A feature map; `frames` are rectangles (row, column, rows, columns) around some of its pixels."""
    parts = [f'<text x="{left}" y="{top - 10}">{escape(title)}</text>']
    for y in range(SIDE):
        for x in range(SIDE):
            place = f'x="{left + x * CELL}" y="{top + y * CELL}" width="{CELL}" height="{CELL}"'
            parts.append(f'<rect {place} class="{kind(y, x)}"/>')
    for y, x, rows, columns in frames:
        place = (
            f'x="{left + x * CELL}" y="{top + y * CELL}" width="{columns * CELL}" height="{rows * CELL}" class="frame"'
        )
        parts.append(f"<rect {place}/>")
    return parts


def _key(left: int, top: int, entries: list[tuple[str, str]]) -> list[str]:
    """What the colours mean, one below the other."""
    parts = []
    for number, (kind, meaning) in enumerate(entries):
        y = top + number * 20
        parts.append(f'<rect x="{left}" y="{y}" width="14" height="14" class="{kind}"/>')
        parts.append(f'<text class="small" x="{left + 22}" y="{y + 11}">{escape(meaning)}</text>')
    return parts


def _picture(width: int, height: int, title: str, description: str, parts: list[str]) -> str:
    lines = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img">\n<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>\n'
        f"<style>{_STYLE}</style>\n{lines}\n</svg>\n"
    )


def _line_buffer(newest: tuple[int, int], window: tuple[int, int, int, int] | None, oldest: int) -> Kind:
    """Pixels that are held: from number `oldest` to the newest one; those of the window apart."""

    def kind(y: int, x: int) -> str:
        if (y, x) == newest:
            return "newest"
        if window is not None and window[0] <= y < window[0] + window[2] and window[1] <= x < window[1] + window[3]:
            return "window"
        if _number(y, x) > _number(*newest):
            return ""
        return "held" if _number(y, x) >= oldest else "gone"

    return kind


_ARRIVING = [("newest", "the newest pixel"), ("", "not there yet"), ("gone", "read for the last time, forgotten")]


def _temporal_reuse() -> str:
    newest, window = (5, 4), (3, 2, 3, 3)
    whole = _line_buffer(newest, window, 0)
    short = _line_buffer(newest, window, _number(3, 2))
    parts = _map(20, 40, "before: the whole map", whole, [window])
    parts += _map(240, 40, "after: its reuse distance", short, [window])
    parts += _key(450, 50, [("window", "window of the step"), ("held", "held in the buffer"), *_ARRIVING])
    return _picture(
        700,
        240,
        "Temporal reuse",
        "A 3 x 3 window needs two rows and three pixels of a feature map, not all of it.",
        parts,
    )


def _merged_windows() -> str:
    newest, window = (5, 4), (3, 2, 3, 3)
    conv = _line_buffer(newest, window, _number(3, 2))
    single = _line_buffer(newest, (4, 3, 1, 1), _number(4, 3))

    def both(y: int, x: int) -> str:
        return "skip" if (y, x) == (4, 3) else conv(y, x)

    parts = _map(20, 40, "for the 3 x 3 convolution …", conv, [window])
    parts += _map(220, 40, "… and again for the 1 x 1", single, [(4, 3, 1, 1)])
    parts += _map(420, 40, "merged: held once", both, [window, (4, 3, 1, 1)])
    entries = [("window", "window"), ("skip", "pixel for the 1 x 1, in the window"), ("held", "held"), *_ARRIVING]
    parts += _key(620, 50, entries)
    description = "Two convolutions that read one map: a buffer for each, or one window from which both are served."
    return _picture(880, 240, "Merged windows", description, parts)


def _residual_buffer() -> str:
    # The addition wants pixel (2, 2) when the second convolution has its window around it, for which the first one must
    # have computed (3, 3), for which (4, 4) of the input must be there.
    newest, wanted = (4, 4), (2, 2)
    window = (2, 2, 3, 3)

    def split(y: int, x: int) -> str:
        if (y, x) == newest:
            return "newest"
        return "skip" if _number(*wanted) <= _number(y, x) <= _number(*newest) else conv(y, x)

    conv = _line_buffer(newest, window, _number(2, 2))

    def shared(y: int, x: int) -> str:
        return "skip" if (y, x) == wanted else conv(y, x)

    parts = _map(20, 40, "line buffer of the 1st convolution", conv, [window])
    parts += _map(260, 40, "skip split off: its own FIFO", split, [(*wanted, 1, 1)])
    parts += _map(500, 40, "skip from the line buffer", shared, [window, (*wanted, 1, 1)])
    entries = [
        ("window", "window of the 1st convolution"),
        ("held", "held for it"),
        ("skip", "held for the skip"),
        *_ARRIVING,
    ]
    parts += _key(720, 50, entries)
    parts.append(
        '<text class="small" x="20" y="236">framed alone: the pixel that the addition wants now. '
        "It is the oldest one that the window still reads.</text>"
    )
    description = "The skip of a block of two 3 x 3 convolutions is the oldest pixel of the first one's window."
    return _picture(960, 250, "Residual buffer sharing", description, parts)


def _frames() -> str:
    """Rows of a window task over time: those below a frame run together with the first of the next one."""
    width, rows = 64, 4
    parts = []
    for top, title, overlap in ((40, "one frame after the other", 0), (140, "frames overlap", 1)):
        parts.append(f'<text x="20" y="{top - 10}">{title}</text>')
        for frame in range(3):
            start = 20 + frame * (rows + 1 - overlap) * width
            for row in range(rows + 1):
                y = top + (24 if row == rows and overlap else 0)
                kind = "held" if row == rows else ("window", "newest")[frame % 2]
                parts.append(f'<rect x="{start + row * width}" y="{y}" width="{width}" height="22" class="{kind}"/>')
                label = "drain" if row == rows else f"{frame}, row {row}"
                parts.append(f'<text class="small" x="{start + row * width + 6}" y="{y + 15}">{label}</text>')
    parts.append('<text class="small" x="20" y="212">time; a row of steps each. In "drain" nothing is read.</text>')
    description = (
        "The rows in which a window task hands out what is left run together with the next frame's first rows."
    )
    return _picture(1010, 225, "Frames overlap in window tasks", description, parts)
