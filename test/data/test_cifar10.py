# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""CIFAR-10 and users' arrays, from files that are right and files that are not."""

import functools
import hashlib
import http.server
import pickle
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from resnet_hls.data import cifar10
from resnet_hls.data.arrays import load_images
from resnet_hls.errors import UserError


def batch(count: int = 5, seed: int = 0, **changes: Any) -> dict[bytes, Any]:
    random = np.random.default_rng(seed)
    content = {
        b"data": random.integers(0, 256, (count, 3072)).astype(np.uint8),
        b"labels": random.integers(0, 10, count).tolist(),
        b"batch_label": b"testing batch 1 of 1",
    }
    return {**content, **{name.encode(): value for name, value in changes.items()}}


def write_folder(folder: Path, test_batch: object = None) -> Path:
    """A small dataset of the right form."""
    batches = folder / cifar10.FOLDER
    batches.mkdir(parents=True)
    for seed, name in enumerate(cifar10.BATCHES["train"]):
        (batches / name).write_bytes(pickle.dumps(batch(seed=seed), protocol=2))
    (batches / "test_batch").write_bytes(pickle.dumps(batch() if test_batch is None else test_batch, protocol=2))
    return batches


def test_the_real_one(cifar10_dir: Path) -> None:
    images, labels = cifar10.load(cifar10_dir, check_md5=True)
    assert images.shape == (10000, 32, 32, 3)
    assert images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [1000] * 10
    assert labels[:5].tolist() == [3, 8, 8, 0, 6]
    assert images[0, 0, :2].tolist() == [[158, 112, 49], [159, 111, 47]]


def test_both_folders_and_splits(tmp_path: Path) -> None:
    batches = write_folder(tmp_path)
    images, labels = cifar10.load(tmp_path)
    data = batch()[b"data"]
    # Row 1, column 2 of the green plane.
    assert images[3, 1, 2, 1] == data[3, 1024 + 32 + 2]
    assert labels.tolist() == batch()[b"labels"]
    np.testing.assert_array_equal(cifar10.load(batches)[0], images)
    assert cifar10.load(batches, "train")[0].shape == (25, 32, 32, 3)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("executed",))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (Evil(), r"it names \w+\.print"),
        ({b"data": batch()[b"data"]}, "KeyError"),
        (batch(data=np.zeros((5, 3072), np.float32)), "pixels are float32"),
        (batch(data=np.zeros((5, 100), np.uint8)), r"pixels are uint8\(5, 100\)"),
        (batch(data=[1, 2]), "pixels are list"),
        (batch(labels=[1, 2]), r"labels are int64\(2,\), expected 5 integers"),
        (batch(labels=[1, 2, 3, 4, 10]), "labels are not all 0 to 9"),
        ([], "TypeError"),
    ],
)
def test_damaged_batches(tmp_path: Path, content: object, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    write_folder(tmp_path, content)
    with pytest.raises(UserError, match=message) as caught:
        cifar10.load(tmp_path)
    assert caught.value.where.endswith("test_batch")
    assert caught.value.help
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize("keep", [0, 1, 100, 5000])
def test_truncated_batches(tmp_path: Path, keep: int) -> None:
    path = write_folder(tmp_path) / "test_batch"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match="no CIFAR-10 batch"):
        cifar10.load(tmp_path)


def test_missing_folders_and_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such folder"):
        cifar10.load(tmp_path / "nowhere")
    with pytest.raises(UserError, match="has no CIFAR-10 test batches") as caught:
        cifar10.load(tmp_path)
    assert cifar10.FOLDER in caught.value.help
    batches = write_folder(tmp_path)
    (batches / "data_batch_3").unlink()
    with pytest.raises(UserError, match="data_batch_3: is missing"):
        cifar10.load(tmp_path, "train")
    with pytest.raises(UserError, match="MD5 sum"):
        cifar10.load(tmp_path, check_md5=True)
    with pytest.raises(UserError, match="no split named 'validation'"):
        cifar10.load(tmp_path, "validation")  # type: ignore[arg-type]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web server on this machine: its address and its folder."""
    folder = tmp_path / "served"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}", folder
        serving.shutdown()
        thread.join()


def test_download(server: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    address, served = server
    archive = served / "cifar.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(write_folder(tmp_path / "made"), arcname=cifar10.FOLDER)
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    target = tmp_path / "cache" / "cifar10"
    with pytest.raises(UserError, match="MD5 sum differs"):
        cifar10.download(target, url=f"{address}/cifar.tar.gz", md5="0" * 32)
    with pytest.raises(UserError, match="cannot download CIFAR-10: 404"):
        cifar10.download(target, url=f"{address}/nothing.tar.gz", md5=md5)
    assert list(target.iterdir()) == []
    batches = cifar10.download(target, url=f"{address}/cifar.tar.gz", md5=md5)
    assert cifar10.load(batches)[0].shape == (5, 32, 32, 3)
    assert cifar10.load(target, "train")[0].shape == (25, 32, 32, 3)
    assert [path.name for path in target.iterdir()] == [cifar10.FOLDER]
    archive.unlink()
    assert cifar10.download(target, url=f"{address}/cifar.tar.gz", md5=md5) == batches


def test_an_archive_of_something_else(server: tuple[str, Path], tmp_path: Path) -> None:
    address, served = server
    archive = served / "other.tar.gz"
    with tarfile.open(archive, "w:gz"):
        pass
    md5 = hashlib.md5(archive.read_bytes()).hexdigest()
    with pytest.raises(UserError, match="cannot download"):
        cifar10.download(tmp_path / "cache", url=f"{address}/other.tar.gz", md5=md5)


def test_arrays(tmp_path: Path) -> None:
    images = np.zeros((4, 8, 8, 3), np.uint8)
    np.save(tmp_path / "a.npy", images)
    np.savez(tmp_path / "b.npz", images=images.astype(np.float32), labels=np.arange(4, dtype=np.uint8))
    assert load_images(tmp_path / "a.npy", (8, 8, 3))[1] is None
    found, labels = load_images(tmp_path / "b.npz", (8, 8, 3))
    assert found.dtype == np.float32
    assert labels is not None
    assert labels.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((4, 3, 8, 8), np.uint8)}, r"shape \(4, 3, 8, 8\), expected \(N, 8, 8, 3\)"),
        ({"images": np.zeros((8, 8, 3), np.uint8)}, r"shape \(8, 8, 3\), expected"),
        ({"images": np.zeros((4, 8, 8, 3), np.float64)}, "images are float64"),
        ({"images": np.full((4, 8, 8, 3), np.nan, np.float32)}, "not finite"),
        ({"images": np.zeros((4, 8, 8, 3), np.uint8), "labels": np.zeros(3, int)}, "expected 4 integers"),
        ({"images": np.zeros((4, 8, 8, 3), np.uint8), "labels": np.zeros(4)}, "labels are float64"),
        ({"pictures": np.zeros(3)}, "has no array 'images', only pictures"),
        ({"images": np.array([None])}, "cannot be read"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UserError, match=message) as caught:
        load_images(tmp_path / "x.npz", (8, 8, 3))
    assert caught.value.help


def test_files_that_are_no_arrays(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_text("no array")
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "cut.npz").write_bytes(b"PK\x03\x04 cut")
    for name in ("x.npy", "empty.npz", "cut.npz"):
        with pytest.raises(UserError, match="cannot be read as NumPy arrays"):
            load_images(tmp_path / name, (8, 8, 3))
    with pytest.raises(UserError, match="no such file"):
        load_images(tmp_path / "missing.npy", (8, 8, 3))
