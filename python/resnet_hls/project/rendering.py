# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Texts from the files of `templates/`. What a template is given must be there: an unknown name is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def render(template: str, **values: Any) -> str:
    """The text that a file of `templates/` makes of these values."""
    import jinja2  # costs a tenth of a second that no other command should pay

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    return environment.get_template(template).render(**values)
