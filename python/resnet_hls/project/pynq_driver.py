# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the accelerator of this folder on a board with PYNQ: numpy arrays in, numpy arrays out.

    from driver import Accelerator

    accelerator = Accelerator()  # loads the bitstream beside this file, and weights where they are to be loaded
    logits = accelerator.predict(images)  # float images (N, height, width, channels) as the model takes them
    logits, profile = accelerator.predict(images, profile=True)

`python3 driver.py ../tb` runs the images of a project and compares with the outputs that belong to them.

Everything about the accelerator is in accelerator.json; this file is the same for each. It needs numpy and PYNQ 2.7 or
newer, and runs with Python 3.8.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

#: Registers of the port `control`, as Vitis HLS lays them out: bit 0 starts a call, bit 2 says that none is going on.
CONTROL, START, IDLE = 0x00, 0x1, 0x4


class Port:
    """How frames pass a port: `accelerator.json` has the figures.

    Attributes:
        shape: of a frame, channels last.
        dtype: int8 or uint8.
        frame_bytes: of a frame as it is transferred.
    """

    def __init__(self, content: dict[str, Any]) -> None:
        self.shape = tuple(content["shape"])
        self.elements = int(np.prod(self.shape))
        self.dtype = np.dtype(np.int8 if content["signed"] else np.uint8)
        self.scale, self.zero_point = float(content["scale"]), int(content["zero_point"])
        self.least, self.greatest = int(content["min"]), int(content["max"])
        self.lanes, self.words, self.beat = content["lanes"], content["words"], content["beat_bytes"]
        self.frame_bytes = self.words * self.beat

    def quantize(self, real: NDArray[Any]) -> NDArray[Any]:
        """The integers that real numbers become: x / scale, rounded half to even, moved by the zero point, clipped."""
        rounded = np.rint(np.asarray(real, np.float32) / np.float32(self.scale)) + np.float32(self.zero_point)
        integers: NDArray[Any] = np.clip(rounded, self.least, self.greatest).astype(self.dtype)
        return integers

    def to_real(self, integers: NDArray[Any]) -> NDArray[np.float32]:
        """The real numbers that integers stand for, float32."""
        return ((integers.astype(np.int64) - self.zero_point) * self.scale).astype(np.float32)

    def fill(self, integers: NDArray[Any], buffer: NDArray[np.uint8]) -> None:
        """Lay frames out as beats of the stream: the lanes of a word in its lowest bytes."""
        frames = integers.reshape(len(integers), -1).view(np.uint8)
        beats = buffer[: len(frames) * self.frame_bytes].reshape(len(frames), self.words, self.beat)
        beats[:, :, : self.lanes] = self._words(frames)

    def _words(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        spare = self.words * self.lanes - self.elements
        padded = np.pad(frames, ((0, 0), (0, spare))) if spare else frames
        return padded.reshape(len(frames), self.words, self.lanes)

    def take(self, buffer: NDArray[np.uint8], count: int) -> NDArray[Any]:
        """The frames of so many beats: (count, …), a copy."""
        beats = np.asarray(buffer[: count * self.frame_bytes]).reshape(count, self.words, self.beat)
        frames = np.ascontiguousarray(beats[:, :, : self.lanes]).reshape(count, -1)[:, : self.elements]
        return np.ascontiguousarray(frames).view(self.dtype).reshape((count, *self.shape))


class Accelerator:
    """The accelerator on the board.

    Args:
        folder: with accelerator.json, the bitstream and its .hwh; by default the folder of this file.
        batch: frames in a call, at most; less where a transfer cannot be so long. More cost memory, fewer cost time.
        download: load the bitstream. Without, it must be there, and its weights must have been loaded since.
        timeout: seconds after which a call that does not end is given up.

    Raises:
        FileNotFoundError: the folder lacks a file.
        RuntimeError: the accelerator does not take its weights.
    """

    def __init__(
        self, folder: str | Path | None = None, batch: int = 256, download: bool = True, timeout: float = 10.0
    ) -> None:
        import pynq

        self.folder = Path(__file__).resolve().parent if folder is None else Path(folder)
        description = json.loads(self._file("accelerator.json").read_text(encoding="utf-8"))
        self.input, self.output = Port(description["input"]), Port(description["output"])
        self.timeout = timeout
        if batch < 1:
            raise ValueError(f"a batch of {batch} frames, expected 1 at least")
        longest = 2 ** description["dma_length_bits"] - 1
        self.batch = min(batch, longest // max(self.input.frame_bytes, self.output.frame_bytes))
        bitstream = self._file(description["bitstream"])
        self._file(bitstream.with_suffix(".hwh").name)
        weights = description["weights"]
        image = np.fromfile(str(self._file(weights["file"], "../data")), np.uint8) if weights else np.empty(0, np.uint8)
        if weights and image.size != weights["beats"] * weights["beat_bytes"]:
            raise ValueError(f"{weights['file']} has {image.size} bytes, not those of this accelerator's weights")

        self.overlay = pynq.Overlay(str(bitstream), download=download)
        self._core, self._dma = self.overlay.accelerator, self.overlay.dma
        self._allocate = pynq.allocate
        # Two buffers on each side: one is filled or read while the accelerator works on the other.
        self._inputs = [self._bytes(self.batch * self.input.frame_bytes) for _ in range(2)]
        self._outputs = [self._bytes(self.batch * self.output.frame_bytes) for _ in range(2)]
        for buffer in self._inputs:
            buffer[:] = 0  # bytes beyond the lanes
        if weights and download:
            self._load(image)

    def predict(self, images: NDArray[Any], profile: bool = False) -> Any:
        """What the network says.

        Args:
            images: (N, height, width, channels), float, as the model takes them, channels last.
            profile: tell how long it took as well.

        Returns:
            (N, …), float32, channels last. With `profile` a pair of that and a dict: `frames`, `seconds` in all, of
            which the accelerator worked for `accelerator_seconds`, and `fps` and `accelerator_fps` by each of them.

        Raises:
            TypeError: images that are not float; `run` takes integers.
            ValueError: images of another shape, or not finite.
            RuntimeError: the accelerator does not end.
        """
        images = np.asarray(images)
        if images.dtype.kind != "f":
            raise TypeError(f"images are {images.dtype}, expected floats as the model takes them; run() takes integers")
        self._check(images)
        if not np.isfinite(images).all():
            raise ValueError("images hold values that are not finite")
        begin = time.perf_counter()
        integers, busy = self._run(images, self.input.quantize)
        real = self.output.to_real(integers)
        return (real, _profile(len(images), time.perf_counter() - begin, busy)) if profile else real

    def run(self, images: NDArray[Any], profile: bool = False) -> Any:
        """As `predict`, in the accelerator's integers on both sides: int8 or uint8, in the range of the quantizer."""
        images = np.asarray(images)
        self._check(images)
        if images.dtype != self.input.dtype:
            raise TypeError(f"images are {images.dtype}, expected {self.input.dtype}; predict() takes floats")
        if images.size and (images.min() < self.input.least or images.max() > self.input.greatest):
            raise ValueError(f"images hold integers beyond [{self.input.least}, {self.input.greatest}]")
        begin = time.perf_counter()
        integers, busy = self._run(images, lambda part: part)
        return (integers, _profile(len(images), time.perf_counter() - begin, busy)) if profile else integers

    def close(self) -> None:
        """Give the buffers back; nothing can be run afterwards."""
        for buffer in (*self._inputs, *self._outputs):
            buffer.freebuffer()
        self._inputs, self._outputs = [], []

    def _check(self, images: NDArray[Any]) -> None:
        if images.shape[1:] != self.input.shape:
            wanted = ", ".join(map(str, self.input.shape))
            raise ValueError(f"images have shape {images.shape}, expected (N, {wanted}): channels last")

    def _run(self, images: NDArray[Any], convert: Callable[[NDArray[Any]], NDArray[Any]]) -> tuple[NDArray[Any], float]:
        """All images, a batch a call; while one is computed the next is laid out, and the last one taken."""
        outputs = np.empty((len(images), *self.output.shape), self.output.dtype)
        parts = [slice(first, min(first + self.batch, len(images))) for first in range(0, len(images), self.batch)]
        busy = began = 0.0
        for number, part in enumerate(parts):
            slot, count = number % 2, part.stop - part.start
            if number == 0:
                self.input.fill(convert(images[part]), self._inputs[slot])
                began = self._start(slot, count)
            following = parts[number + 1] if number + 1 < len(parts) else None
            if following is not None:
                self.input.fill(convert(images[following]), self._inputs[1 - slot])
            busy += self._finish() - began
            if following is not None:
                began = self._start(1 - slot, following.stop - following.start)
            outputs[part] = self.output.take(self._outputs[slot], count)
        return outputs, busy

    def _start(self, slot: int, frames: int) -> float:
        """Begin a call; the transfer to memory first, so that nothing waits for it."""
        began = time.perf_counter()
        self._dma.recvchannel.transfer(self._outputs[slot], nbytes=frames * self.output.frame_bytes)
        self._call(frames)
        self._dma.sendchannel.transfer(self._inputs[slot], nbytes=frames * self.input.frame_bytes)
        return began

    def _finish(self) -> float:
        """Wait for the end of a call; when that was."""
        self._wait_for(self._dma.sendchannel, "take its images")
        self._wait_for(self._dma.recvchannel, "give its outputs")
        self._wait(lambda: self._core.read(CONTROL) & IDLE, "end")
        return time.perf_counter()

    def _load(self, image: NDArray[np.uint8]) -> None:
        """Weights into UltraRAM: a call of no frames, in which the accelerator takes them, once after the bitstream."""
        buffer = self._bytes(image.size)
        buffer[:] = image
        channel = self.overlay.dma_weights.sendchannel
        self._call(0)
        channel.transfer(buffer)
        self._wait_for(channel, "take its weights")
        self._wait(lambda: self._core.read(CONTROL) & IDLE, "end")
        buffer.freebuffer()

    def _call(self, frames: int) -> None:
        self._core.register_map.frames = frames
        self._core.write(CONTROL, START)

    def _wait_for(self, channel: Any, what: str) -> None:
        """Until a transfer is over. PYNQ itself would wait forever, so it is asked only when that is so."""
        self._wait(lambda: channel.idle, what)
        channel.wait()

    def _wait(self, done: Callable[[], Any], what: str) -> None:
        deadline = time.perf_counter() + self.timeout
        while not done():
            if time.perf_counter() > deadline:
                raise RuntimeError(f"the accelerator did not {what} within {self.timeout:g} s; load it again")

    def _bytes(self, size: int) -> Any:
        return self._allocate(shape=(size,), dtype=np.uint8)

    def _file(self, name: str, *others: str) -> Path:
        for folder in (self.folder, *(self.folder / other for other in others)):
            if (folder / name).is_file():
                return folder / name
        raise FileNotFoundError(f"{name} is not in {self.folder}: docs of resnet-hls say which files belong there")


def _profile(frames: int, seconds: float, busy: float) -> dict[str, float]:
    return {
        "frames": frames,
        "seconds": seconds,
        "accelerator_seconds": busy,
        "fps": frames / seconds if seconds else 0.0,
        "accelerator_fps": frames / busy if busy else 0.0,
    }


def check(accelerator: Accelerator, folder: Path) -> int:
    """Runs `images.bin` of a folder, compares with its `expected.bin`, and says what came out; the exit status."""
    images = np.fromfile(str(folder / "images.bin"), accelerator.input.dtype).reshape((-1, *accelerator.input.shape))
    expected = np.fromfile(str(folder / "expected.bin"), accelerator.output.dtype).reshape(len(images), -1)
    got, profile = accelerator.run(images, profile=True)
    exact = int((got.reshape(len(images), -1) == expected).all(axis=1).sum())
    rate = f"{profile['accelerator_fps']:,.0f} frames/s in the accelerator, {profile['fps']:,.0f} with numpy"
    print(f"driver: {exact}/{len(images)} frames bit-exact; {rate}")
    return 0 if exact == len(images) else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: driver.py FOLDER, a folder with images.bin and expected.bin, such as ../tb")
    sys.exit(check(Accelerator(), Path(sys.argv[1])))
