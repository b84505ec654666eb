# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The documentation becomes a site without a warning, and the site loads nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built strictly: a link that leads nowhere is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there(site: Path, repository: Path) -> None:
    pages = {path.relative_to(repository / "docs").with_suffix(".html") for path in repository.glob("docs/**/*.md")}
    assert {site / page for page in pages} <= set(site.rglob("*.html"))
    for name, title in [("index", "resnet-hls"), ("contributing", "Contributing"), ("dialect", "dialect")]:
        assert title in (site / f"{name}.html").read_text(encoding="utf-8")


def test_it_loads_nothing_from_elsewhere(site: Path) -> None:
    loaded = re.compile(
        r'<(?:script|img|iframe)[^>]*\ssrc="(https?:[^"]*)|<link[^>]*rel="stylesheet"[^>]*href="(https?:[^"]*)'
    )
    for page in site.rglob("*.html"):
        assert not loaded.search(page.read_text(encoding="utf-8")), page


def test_pictures_are_on_their_page(site: Path) -> None:
    text = (site / "optimizations.html").read_text(encoding="utf-8")
    shown = re.findall(r'<img[^>]*alt="[^"]+"[^>]*src="(pictures/[^"]+)"', text)
    assert {site / name for name in shown} == set(site.glob("pictures/*.svg"))
    assert shown
