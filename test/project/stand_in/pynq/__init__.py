# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A stand-in of PYNQ with a board in it: what DMAs transfer goes beat by beat through the compiled C++ of a project.

It has what the driver uses, and is as strict as the board: a transfer begins only on an idle channel and a buffer that
was allocated, it ends only when the accelerator has taken or given every beat of it, and the one to memory must end
with TLAST. The environment variable RESNET_HLS_BOARD names the library that `board.cpp` and the project were made into.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from typing import Any

import numpy as np

loads: list[str] = []  # bitstreams that were loaded
calls: list[int] = []  # frames of each call
_START, _IDLE = 1, 4


class Buffer(np.ndarray[Any, Any]):
    """An array that a DMA can reach. `freebuffer` gives it back."""

    freed = False

    def freebuffer(self) -> None:
        assert not self.freed, "freed twice"
        self.freed = True


def allocate(shape: tuple[int, ...], dtype: Any) -> Buffer:
    """As pynq.allocate; filled with what nobody should read."""
    buffer = np.full(shape, 0xA5, dtype).view(Buffer)
    _BUFFERS.append(buffer)
    return buffer


_BUFFERS: list[Buffer] = []


class Channel:
    """One direction of a DMA: at most one transfer at a time."""

    def __init__(self) -> None:
        self.pending: np.ndarray[Any, Any] | None = None

    @property
    def idle(self) -> bool:
        return self.pending is None

    def transfer(self, array: Buffer, start: int = 0, nbytes: int = 0) -> None:
        assert self.idle, "DMA channel not idle"
        assert any(array is buffer and not buffer.freed for buffer in _BUFFERS), "not an allocated buffer"
        nbytes = nbytes or array.nbytes - start
        assert 0 < nbytes <= min(array.nbytes - start, 2**26 - 1), "transfer of another size than the buffer's"
        self.pending = np.asarray(array).view(np.uint8)[start : start + nbytes]
        Board.here.go_on()

    def wait(self) -> None:
        assert self.idle, "PYNQ would wait forever"


class Dma:
    def __init__(self, receives: bool) -> None:
        self.sendchannel = Channel()
        if receives:
            self.recvchannel = Channel()


class Registers:
    frames = -1


class Core:
    """The accelerator's registers."""

    def __init__(self) -> None:
        self.register_map = Registers()
        self.started = False

    def write(self, offset: int, value: int) -> None:
        assert (offset, value) == (0, _START)
        assert not self.started, "started while it runs"
        assert self.register_map.frames >= 0, "the number of frames was not set"
        self.started = True
        calls.append(self.register_map.frames)
        Board.here.go_on()

    def read(self, offset: int) -> int:
        assert offset == 0
        return _START if self.started else _IDLE


class Board:
    """The accelerator and its DMAs; a call runs when all that it needs is there, which is at once in C simulation."""

    here: Board

    def __init__(self) -> None:
        Board.here = self
        with tempfile.TemporaryDirectory() as folder:  # another file, as a bitstream resets what the last one left
            self.library = ctypes.CDLL(shutil.copy(os.environ["RESNET_HLS_BOARD"], folder))
        self.core, self.dma, self.weights = Core(), Dma(receives=True), Dma(receives=False)
        self.loaded = False

    def go_on(self) -> None:
        """Runs a call that was started, as soon as its beats are there."""
        frames = self.core.register_map.frames
        send, receive, weights = self.dma.sendchannel, self.dma.recvchannel, self.weights.sendchannel
        load = bool(self.library.weights_bytes()) and not self.loaded
        if not self.core.started or (load and weights.pending is None):
            return
        if frames and (send.pending is None or receive.pending is None):
            return
        if load:
            assert weights.pending is not None
            assert weights.pending.size == self.library.weights_bytes()
            self.library.send_weights(_pointer(weights.pending))
            weights.pending, self.loaded = None, True
        if frames:
            assert send.pending is not None
            assert receive.pending is not None
            assert send.pending.size == frames * self.library.input_bytes(), "other images than frames"
            assert receive.pending.size == frames * self.library.output_bytes(), "no room for the outputs"
            status = self.library.call(frames, _pointer(send.pending), _pointer(receive.pending))
            send.pending = receive.pending = None
        else:
            status = self.library.call(0, None, None)
        assert status == 0, "TLAST elsewhere than at the end, or words left over"
        self.core.started = False


def _pointer(array: np.ndarray[Any, Any]) -> Any:
    return array.ctypes.data_as(ctypes.c_void_p)


class Overlay:
    """The block design: its cells by name."""

    def __init__(self, bitfile: str, download: bool = True) -> None:
        assert os.path.isfile(bitfile)
        assert os.path.isfile(os.path.splitext(bitfile)[0] + ".hwh")
        if download:
            loads.append(os.path.basename(bitfile))
            Board()
        board = Board.here
        self.accelerator, self.dma = board.core, board.dma
        if board.library.weights_bytes():
            self.dma_weights = board.weights
