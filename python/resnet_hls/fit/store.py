# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Keeps every computed point in a file of its own, so that a run which was interrupted goes on where it ended."""

from __future__ import annotations

import json
from pathlib import Path

from resnet_hls.errors import UserError
from resnet_hls.files import replace_file
from resnet_hls.fit.points import FAILED, Result


class Store:
    """The points in `DIR/points/`: a JSON file each, named by the point's key, there as a whole or not at all."""

    def __init__(self, folder: Path) -> None:
        """Makes the folders.

        Raises:
            UserError: they cannot be made.
        """
        self.folder = folder
        self._points = folder / "points"
        try:
            self._points.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"cannot be made a folder: {error.strerror}"
            raise UserError(message, where=str(folder), help="choose another folder with -o") from None

    def get(self, key: str) -> Result | None:
        """What is stored for a point; None where nothing is, or where it failed or is damaged."""
        try:
            found = json.loads((self._points / f"{key}.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        whole = isinstance(found, dict) and {"board", "status", "seconds"} <= set(found)
        return found if whole and found["status"] != FAILED else None

    def put(self, key: str, result: Result) -> None:
        """Store a point.

        Raises:
            UserError: it cannot be written.
        """
        self.write(f"points/{key}.json", json.dumps(result, indent=2) + "\n")

    def write(self, name: str, text: str) -> Path:
        """Write a file below the folder, whole or not at all; its path.

        Raises:
            UserError: it cannot be written.
        """
        path = self.folder / name
        try:
            replace_file(path, text)
        except OSError as error:
            message = f"cannot be written: {error.strerror}"
            raise UserError(message, where=str(path), help="make room, or choose another folder with -o") from None
        return path
