# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files of integer weights: a network of the project, trained, as docs/models.md describes the format.

Importing this module is cheap; its functions import numpy, safetensors and, to build the network, PyTorch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_hls.errors import UserError
from resnet_hls.frontend.torch_factory import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from resnet_hls.frontend.torch_module import QuantizedModule
    from resnet_hls.models.resnet import ResNet

FORMAT = "resnet-hls integers, version 1"
SUFFIX = ".safetensors"
OF_A_RUN = f"weights{SUFFIX}"  # how `resnet-hls train` calls its file
_KEY = "resnet_hls"  # one key, because the order of several would differ from file to file
_LARGEST_EXPONENT = 64


@dataclass(frozen=True)
class Weights:
    """A trained network.

    Attributes:
        network: a bundled name: what the tensors belong to.
        tensors: weights (int8) and biases (int16) by their names in the module, batch norms folded.
        exponents: of every tensor and of every feature map: a value is its integer times 2^exponent.
        training: how they came about and what they reach, for people to read.
    """

    network: str
    tensors: dict[str, NDArray[np.integer[Any]]]
    exponents: dict[str, int]
    training: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line: that they are trained, and what they reach."""
        top1 = self.training.get("test_top1_percent", {}).get("integer")
        return "trained weights" if top1 is None else f"trained weights, {top1:.2f} % top-1 on the 10,000 test images"

    def to_bytes(self) -> bytes:
        """The content of a file; the same for the same weights.

        Raises:
            UserError: safetensors is not installed.
        """
        require("safetensors")
        import numpy as np
        from safetensors.numpy import save

        header = {
            "format": FORMAT,
            "network": self.network,
            "exponents": self.exponents,
            "training": self.training,
        }
        # The library writes memory as it lies.
        tensors = {name: np.ascontiguousarray(tensor) for name, tensor in self.tensors.items()}
        content: bytes = save(tensors, metadata={_KEY: json.dumps(header, sort_keys=True)})
        return content

    def floats(self) -> ResNet:
        """The network with these weights, batch norms folded, in eval mode; it computes in float and rounds nothing.

        Raises:
            UserError: they are not those of the network; PyTorch is not installed.
        """
        require("torch")
        import torch

        from resnet_hls.models import BUNDLED, resnet

        if self.network not in BUNDLED:
            raise UserError(f"holds weights of '{self.network}'", where="weights", help=f"known: {', '.join(BUNDLED)}")
        network = resnet.folded(BUNDLED[self.network].blocks)
        missing = self.tensors.keys() - self.exponents.keys()
        if missing:
            raise UserError(f"has no exponent of '{min(missing)}'", where="weights", help="take a file of this network")
        state = {
            name: torch.from_numpy(integers.astype("float64") * 2.0 ** self.exponents[name]).float()
            for name, integers in self.tensors.items()
        }
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise UserError(f"does not fit {self.network}: {reason}", where="weights", help="train it again") from error
        return network

    def quantized(self) -> QuantizedModule:
        """The network with these integers, as the compiler takes it.

        Raises:
            UserError: as `floats`.
        """
        require("torch", "torchao")
        from resnet_hls.frontend.torch_factory import quiet
        from resnet_hls.frontend.torch_module import QuantizedModule

        with quiet():
            import torch
            from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e

            from resnet_hls.frontend import torch_integers, torch_quantize
            from resnet_hls.models import IMAGE_SHAPE

        network = self.floats()
        with quiet():
            prepared = torch_quantize.prepare(network, torch.zeros(1, *IMAGE_SHAPE))
            torch_integers.give_exponents(prepared, self.exponents)
            converted = convert_pt2e(prepared)
        return QuantizedModule(converted, IMAGE_SHAPE, torch_quantize.remarks(converted))


def read(path: Path) -> Weights:
    """The weights in a file.

    Raises:
        UserError: there is no such file, or it holds something else.
    """
    require("safetensors")
    from safetensors import SafetensorError, safe_open

    help = "`resnet-hls train` writes such files"
    if not path.is_file():
        raise UserError("no such file", where=str(path), help=help)
    try:
        with safe_open(path, "numpy") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dict
            header = json.loads((file.metadata() or {}).get(_KEY, "{}"))
    except (SafetensorError, OSError, ValueError) as error:
        raise UserError(f"cannot be read as weights: {error}", where=str(path), help=help) from error
    problem = _problem(header, tensors)
    if problem:
        raise UserError(f"is no file of integer weights: {problem}", where=str(path), help=help)
    return Weights(header["network"], tensors, header["exponents"], header["training"])


def _problem(header: Any, tensors: dict[str, Any]) -> str:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        return f"its format is not '{FORMAT}'"
    if not isinstance(header.get("network"), str) or not isinstance(header.get("training"), dict):
        return "it does not say of which network"
    top1 = header["training"].get("test_top1_percent", {})
    if not isinstance(top1, dict) or type(top1.get("integer", 0.0)) not in (int, float):
        return "what it reaches is no number"
    exponents = header.get("exponents")
    if not isinstance(exponents, dict) or not all(
        type(value) is int and abs(value) <= _LARGEST_EXPONENT for value in exponents.values()
    ):
        return "its exponents are no small integers"
    for name, tensor in tensors.items():
        wanted = "int16" if name.endswith(".bias") else "int8"
        if tensor.dtype != wanted:
            return f"'{name}' is {tensor.dtype}, expected {wanted}"
    return ""
