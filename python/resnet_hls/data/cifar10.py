# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""CIFAR-10: the folder `cifar-10-batches-py`, read without executing anything in it, or downloaded with its checksum.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from resnet_hls.errors import UserError

Split = Literal["train", "test"]
Labelled = tuple[NDArray[np.uint8], NDArray[np.int64]]

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
ARCHIVE_MD5 = "c58f30108f718f92721af3b95e74349a"
FOLDER = "cifar-10-batches-py"

# The files of each split with their official MD5 sums.
BATCHES: dict[str, dict[str, str]] = {
    "train": {
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    },
    "test": {"test_batch": "40351d587109b95175f43aff81a1287e"},
}
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def load(folder: str | os.PathLike[str], split: Split = "test", *, check_md5: bool = False) -> Labelled:
    """Images and labels of a split.

    Args:
        folder: `cifar-10-batches-py`, or the folder that holds it.
        split: `train` (50,000 images) or `test` (10,000).
        check_md5: compare the files with the official sums first.

    Returns:
        Images (N, 32, 32, 3), uint8, channels red, green, blue; labels (N,), int64, 0 … 9.

    Raises:
        UserError: the folder is not there, a file is missing, damaged, or not what CIFAR-10 is.
    """
    if split not in BATCHES:
        raise UserError(f"no split named '{split}'", help="train or test", status=2)
    batches = _find(Path(folder), split)
    images, labels = [], []
    for name, md5 in BATCHES[split].items():
        path = batches / name
        if check_md5 and (got := hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()) != md5:
            raise _damaged(path, f"MD5 sum {got}, expected {md5}")
        batch_images, batch_labels = _read_batch(path)
        images.append(batch_images)
        labels.append(batch_labels)
    return np.concatenate(images), np.concatenate(labels)


def download(folder: str | os.PathLike[str], *, url: str = URL, md5: str = ARCHIVE_MD5) -> Path:
    """Downloads and unpacks CIFAR-10 (170 MB), unless the folder has it.

    Args:
        folder: made where it does not exist; `cifar-10-batches-py` appears in it when all of it is there.
        url: of the archive.
        md5: of the archive.

    Returns:
        The folder `cifar-10-batches-py`.

    Raises:
        UserError: no network, another checksum, or no space.
    """
    target = Path(folder) / FOLDER
    names = [name for split in BATCHES.values() for name in split]
    if all((target / name).is_file() for name in names):
        return target
    import pooch

    advice = f"download {URL} yourself, unpack it, and give its folder"
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        # The temporary folder goes on failure: an archive with a wrong checksum is not kept.
        with tempfile.TemporaryDirectory(dir=folder, prefix="downloading-") as temporary:
            archive = pooch.retrieve(url, known_hash=f"md5:{md5}", path=temporary, fname="cifar-10-python.tar.gz")
            with tarfile.open(archive) as tar:
                for name in names:
                    tar.extract(f"{FOLDER}/{name}", temporary, filter="data")
            target.mkdir(exist_ok=True)
            for name in names:
                Path(temporary, FOLDER, name).replace(target / name)
    except ValueError as error:  # pooch: the hash differs
        raise UserError("the download is damaged: its MD5 sum differs", where=url, help=advice) from error
    except (OSError, tarfile.TarError, KeyError) as error:  # requests' exceptions are OSErrors
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"cannot download CIFAR-10: {reason}", where=url, help=advice) from error
    return target


def _find(folder: Path, split: Split) -> Path:
    for candidate in (folder, folder / FOLDER):
        if any((candidate / name).is_file() for name in BATCHES[split]):
            for name in BATCHES[split]:
                if not (candidate / name).is_file():
                    raise UserError("is missing", where=str(candidate / name), help="unpack the whole of CIFAR-10")
            return candidate
    raise UserError(
        f"has no CIFAR-10 {split} batches" if folder.is_dir() else "no such folder",
        where=str(folder),
        help=f"give the folder {FOLDER} of the unpacked archive {URL}, or the folder that holds it",
    )


def _encode(text: str, encoding: str) -> bytes:
    """What Python 3 writes for a byte string in an old protocol."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"it names the encoding {encoding}")
    return text.encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    ("numpy._core.multiarray", "_reconstruct"): np._core.multiarray._reconstruct,  # type: ignore[attr-defined]
    ("_codecs", "encode"): _encode,
}


class _ArraysOnly(pickle.Unpickler):
    """Reads containers, numbers, strings and NumPy arrays; refuses to import anything else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _ALLOWED[module, name]


def _read_batch(path: Path) -> Labelled:
    try:
        with path.open("rb") as file:
            batch = _ArraysOnly(file, encoding="bytes").load()
        pixels, labels = batch[b"data"], np.asarray(batch[b"labels"])
    # A damaged pickle can raise nearly anything.
    except Exception as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.shape[1:] != (3072,):
        found = f"{pixels.dtype}{pixels.shape}" if isinstance(pixels, np.ndarray) else type(pixels).__name__
        raise _damaged(path, f"pixels are {found}, expected uint8(N, 3072)")
    if labels.shape != (len(pixels),) or labels.dtype.kind not in "iu":
        raise _damaged(path, f"labels are {labels.dtype}{labels.shape}, expected {len(pixels)} integers")
    if labels.size and not 0 <= int(labels.min()) <= int(labels.max()) < len(CLASSES):
        raise _damaged(path, "labels are not all 0 to 9")
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels.astype(np.int64)


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"no CIFAR-10 batch: {reason}", where=str(path), help=f"unpack {URL} again")
