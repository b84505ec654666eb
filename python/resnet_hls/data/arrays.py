# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Images that a user keeps in a NumPy file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_hls.errors import UserError


def load_images(
    path: str | os.PathLike[str], shape: tuple[int, int, int]
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Images, and labels where the file has them.

    Args:
        path: `.npy` with the images, or `.npz` with `images` and perhaps `labels`.
        shape: of an image: (height, width, channels).

    Returns:
        Images (N, height, width, channels), uint8 pixels or float32; labels (N,), int64, or None.

    Raises:
        UserError: the file cannot be read, or holds arrays of another shape or dtype.
    """
    where = os.fspath(path)
    arrays = _read(Path(path))
    if "images" not in arrays:
        raise UserError(
            f"has no array 'images', only {', '.join(sorted(arrays)) or 'none'}",
            where=where,
            help="save it with numpy.savez(path, images=…, labels=…)",
        )
    images, labels = arrays["images"], arrays.get("labels")
    if images.dtype not in (np.uint8, np.float32):
        raise UserError(
            f"images are {images.dtype}, expected uint8 or float32",
            where=where,
            help="uint8 for pixels 0 to 255, float32 for values as the model wants them",
        )
    if images.ndim != 4 or images.shape[1:] != shape:
        channels_first = images.ndim == 4 and images.shape[1:] == (shape[2], shape[0], shape[1])
        raise UserError(
            f"images have shape {images.shape}, expected (N, {', '.join(map(str, shape))})",
            where=where,
            help="transpose them to channels last: images.transpose(0, 2, 3, 1)"
            if channels_first
            else "give images of the model's size as (number, rows, columns, channels)",
        )
    if images.dtype == np.float32 and not np.isfinite(images).all():
        raise UserError("images hold values that are not finite", where=where, help="remove NaN and infinity")
    if labels is None:
        return images, None
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise UserError(
            f"labels are {labels.dtype}{labels.shape}, expected {len(images)} integers",
            where=where,
            help="a class number an image",
        )
    return images, labels.astype(np.int64)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    advice = "a .npy or .npz file that numpy.save or numpy.savez wrote"
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            return {"images": content}
        with content:
            return {name: content[name] for name in content.files}
    except FileNotFoundError as error:
        raise UserError("no such file", where=str(path), help=advice) from error
    except Exception as error:  # of numpy, zipfile, zlib and tokenize: whatever damaged bytes can cause
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"cannot be read as NumPy arrays: {reason}", where=str(path), help=advice) from error
