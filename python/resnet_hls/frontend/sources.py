# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What can be built: a bundled network, an ONNX file, `module.py:factory`, or a PyTorch module; one interface for all.

Importing this module imports neither MLIR nor onnx nor PyTorch; `start` of a PyTorch source imports PyTorch.
"""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from resnet_hls.errors import UserError
from resnet_hls.frontend.naming import model_name
from resnet_hls.frontend.onnx_import import ImportHandle, start_import
from resnet_hls.frontend.torch_factory import is_factory, load_factory
from resnet_hls.models import BUNDLED

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from resnet_hls.frontend.torch_module import QuantizedModule

    Outputs = Callable[[], NDArray[np.float32]]


@dataclass(frozen=True)
class Imported:
    """A model as linalg on tensors with float quantizers.

    Attributes:
        bytecode: of the module, with locations.
        output_shape: of the model's output, batch 1.
        notes: what a user should know, one line each.
    """

    bytecode: bytes
    output_shape: tuple[int, ...]
    notes: tuple[str, ...]


class Source(ABC):
    """A model on its way in. Use it in a `with` block, which stops what still runs."""

    kind: ClassVar[str]

    def __init__(self, name: str, model: str) -> None:
        self.name = name
        """A C identifier: of the accelerator's top function."""
        self.model = model
        """How the manifest names the model: no folder of this machine."""

    @abstractmethod
    def start(self) -> None:
        """Begin importing where that runs by itself; returns at once then.

        Raises:
            UserError: the model cannot be built.
        """

    @abstractmethod
    def imported(self) -> Imported:
        """The imported module.

        Raises:
            UserError: the model cannot be built.
        """

    @abstractmethod
    def start_outputs(self, images: NDArray[np.float32]) -> Outputs:
        """Begin computing the model's own outputs for `images` (N, channels, height, width); the result waits."""

    @abstractmethod
    def reference_files(self) -> dict[str, bytes]:
        """What `verify` needs to run the model again, by file name."""

    @abstractmethod
    def file_hashes(self) -> dict[str, str]:
        """SHA-256 sums of the files that were given, by what they are; nothing of a module or a bundled network.

        Raises:
            UserError: a file cannot be read.
        """

    @abstractmethod
    def hashes(self) -> dict[str, str]:
        """SHA-256 sums that tell this model from any other, by what they are of."""

    def versions(self) -> tuple[str, ...]:
        """The packages that the result depends on, besides torch-mlir."""
        return ()

    def close(self) -> None:
        """Stop what still runs."""
        return

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class OnnxSource(Source):
    """An ONNX file, imported and run in processes of their own."""

    kind = "onnx"

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(name, path.name)
        self.path = path
        #: Of the file as it was before anything read it.
        self._sum = hash_of(path) if path.is_file() else ""
        self._import: ImportHandle | None = None
        self._oracle: Any = None

    def start(self) -> None:
        self._import = start_import(self.path, self.name)

    def imported(self) -> Imported:
        if self._import is None:
            self.start()
        assert self._import is not None
        module = self._import.result()
        return Imported(module.text, module.output_shape, module.notes)

    def start_outputs(self, images: NDArray[np.float32]) -> Outputs:
        from resnet_hls.simulate.oracle_process import OracleProcess

        self._oracle = OracleProcess(self.path, images)
        outputs: Outputs = self._oracle.result
        return outputs

    def reference_files(self) -> dict[str, bytes]:
        data = self.path.read_bytes()
        if b"location" not in data:  # the key of a tensor that lies in another file
            return {"model.onnx": data}
        from resnet_hls.frontend.onnx_file import read  # which gathers the weights into the model

        content: bytes = read(self.path).SerializeToString(deterministic=True)
        return {"model.onnx": content}

    def file_hashes(self) -> dict[str, str]:
        found = hash_of(self.path)
        if found != self._sum:  # what was read of it, by several processes, may be of two models
            raise UserError("has changed since it was read", where=str(self.path), help="build it again")
        return {"model": found}

    def hashes(self) -> dict[str, str]:
        sums = self.file_hashes()
        gathered = hashlib.sha256(self.reference_files()["model.onnx"]).hexdigest()
        return sums if gathered == sums["model"] else {**sums, "model_with_weights": gathered}

    def versions(self) -> tuple[str, ...]:
        return ("onnx", "onnxruntime")

    def close(self) -> None:
        for process in (self._import, self._oracle):
            if process is not None:
                process.cancel()


class TorchSource(Source):
    """A PyTorch module, quantized here unless it is already."""

    kind = "torch"

    def __init__(self, name: str, model: str, create: Callable[[], QuantizedModule], file: Path | None = None) -> None:
        super().__init__(name, model)
        self._create = create
        self._file = file
        self._quantized: QuantizedModule | None = None
        self._program: bytes | None = None

    @property
    def quantized(self) -> QuantizedModule:
        """The quantized network."""
        if self._quantized is None:
            self._quantized = self._create()
        return self._quantized

    @property
    def program(self) -> bytes:
        """The quantized network as a `.pt2` file."""
        if self._program is None:
            from resnet_hls.frontend.torch_program import save

            self._program = save(self.quantized)
        return self._program

    def start(self) -> None:
        _ = self.quantized

    def imported(self) -> Imported:
        from resnet_hls.frontend.torch_module import to_linalg

        module = to_linalg(self.quantized, self.name)
        return Imported(module.text, module.output_shape, tuple(module.notes))

    def start_outputs(self, images: NDArray[np.float32]) -> Outputs:
        outputs = self.quantized.run(images)
        return lambda: outputs

    def reference_files(self) -> dict[str, bytes]:
        return {"program.pt2": self.program}

    def file_hashes(self) -> dict[str, str]:
        return {} if self._file is None else {"source": hash_of(self._file)}

    def hashes(self) -> dict[str, str]:
        return {"quantized_program": hashlib.sha256(self.program).hexdigest(), **self.file_hashes()}

    def versions(self) -> tuple[str, ...]:
        return ("torch", "torchao")


def hash_of(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(
            f"cannot be read: {error.strerror}", where=str(path), help="check the path and its permissions"
        ) from None


def find(model: Any, name: str | None = None, calibration: Any = None, labels: Any = None) -> Source:
    """The source that `model` means.

    Args:
        model: a bundled name, the path of an ONNX file or of weights that `resnet-hls train` wrote, `module.py:factory`
            or `package.module:factory`, a `torch.nn.Module` or a `QuantizedModule`.
        name: of the accelerator, a C identifier; by default one that the model's own name suggests.
        calibration: images (N, channels, height, width), float, that a module is quantized with; a factory may bring
            its own.
        labels: (N,), of the calibration images: what quantization costs is told as top-1 then.

    Raises:
        UserError: nothing is meant by it, or the name is no C identifier.
    """
    if not isinstance(model, str | Path):
        return _module_source(model, name, calibration, labels)
    text = str(model)
    if text in BUNDLED:
        return TorchSource(model_name(name or text, given=name), text, lambda: _bundled(text, calibration))
    if text.endswith(".safetensors"):
        path = Path(text)
        return TorchSource(model_name(name or path.stem, given=name), path.name, lambda: _from_weights(path), path)
    if text.endswith(".py"):
        help = f"give {text}:FUNCTION, a function that returns a module and calibration images"
        raise UserError("names no function of the file", where=text, help=help)
    if text.endswith(".onnx") or (Path(text).exists() and not is_factory(text)):
        return OnnxSource(Path(text), model_name(name or Path(text).stem, given=name))
    if is_factory(text):
        where, _, factory = text.rpartition(":")
        shown = f"{Path(where).name}:{factory}" if where.endswith(".py") else text
        file = Path(where) if where.endswith(".py") else None
        return TorchSource(
            model_name(name or factory, given=name), shown, lambda: _from_factory(text, calibration, labels), file
        )
    raise UserError(
        f"there is no model '{text}'",
        help=f"{_guess(text)}give a bundled network ({', '.join(BUNDLED)}), a .onnx file, or module.py:factory",
    )


def _guess(text: str) -> str:
    import difflib

    nearby = [path.name for path in Path(text).parent.glob("*.onnx")] if Path(text).parent.is_dir() else []
    close = difflib.get_close_matches(Path(text).name, [*BUNDLED, *nearby], n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'? " if close else ""


def _bundled(name: str, calibration: Any) -> QuantizedModule:
    if calibration is not None:
        raise UserError("a bundled network has scales of its own", where=name, help="leave out the calibration images")
    quantized, note = BUNDLED[name].quantized()
    quantized.notes.append(note)
    return quantized


def _from_weights(path: Path) -> QuantizedModule:
    from resnet_hls.models.weights import read

    weights = read(path)
    quantized = weights.quantized()
    quantized.notes.append(f"{BUNDLED[weights.network].title}: {weights.summary}")
    return quantized


def _from_factory(text: str, calibration: Any, labels: Any) -> QuantizedModule:
    module, images, own_labels = load_factory(text)
    if calibration is None:
        return _quantize(module, images, own_labels if labels is None else labels)
    return _quantize(module, calibration, labels)


def _quantize(module: Any, images: Any, labels: Any) -> QuantizedModule:
    from resnet_hls.frontend.torch_module import loss_of_accuracy, quantize

    quantized = quantize(module, images)
    if note := loss_of_accuracy(module, quantized, images, labels):
        quantized.notes.append(note)
    return quantized


def _module_source(model: Any, name: str | None, calibration: Any, labels: Any) -> Source:
    from resnet_hls.frontend.torch_factory import require
    from resnet_hls.frontend.torch_module import QuantizedModule

    if isinstance(model, QuantizedModule):
        kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", type(model.module).__name__).lower()
        return TorchSource(model_name(name or kind, given=name), type(model.module).__name__, lambda: model)
    require("torch")
    from torch import nn

    if not isinstance(model, nn.Module):
        raise UserError(
            f"a model cannot be {_a(type(model).__name__)}",
            help="give a bundled name, a path, a torch.nn.Module or a QuantizedModule",
        )
    kind = type(model).__name__
    return TorchSource(
        model_name(name or kind.lower(), given=name), kind, lambda: _quantize(model, calibration, labels)
    )


def _a(kind: str) -> str:
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
