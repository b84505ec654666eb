# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What makes the site of these pages: those that lie elsewhere in the source tree come along, and links to files that
are no pages become text. A hook of MkDocs, named in mkdocs.yml."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
#: Page of the site <- file of the source tree.
ELSEWHERE = {"index.md": "README.md", "contributing.md": "CONTRIBUTING.md", "dialect.md": "dialects/hls/README.md"}
_LINK = re.compile(r"(?<!\!)\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages that lie elsewhere; what is no page of the site, such as this file, stays out of it."""
    for name, source in ELSEWHERE.items():
        files.append(File.generated(config, name, content=(ROOT / source).read_text(encoding="utf-8")))
    for file in [f for f in files if f.src_uri.endswith((".py", ".ipynb"))]:
        files.remove(file)
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links lead to pages of the site, wherever the page itself lies in the source tree."""
    source = ELSEWHERE.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    back = {f"docs/{f.src_uri}": f.src_uri for f in files} | {path: name for name, path in ELSEWHERE.items()}

    def link(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        if "://" in target:
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        if path not in back:
            return text if (ROOT / path).exists() else found[0]  # a file of the source tree, or a dead link
        return f"[{text}]({posixpath.relpath(back[path], posixpath.dirname(page.file.src_uri) or '.')}{anchor})"

    return _LINK.sub(link, markdown)
