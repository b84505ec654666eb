# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""From a ``torch.nn.Module`` to linalg: load it, quantize it with torchao PT2E, import it with torch-mlir.

The quantized module, run by PyTorch, is the reference of everything that follows: its scales are powers of two, so that
its float32 arithmetic is exact while accumulators stay below 2^24 (a note says so where they may not).

Importing this module is cheap; its functions import PyTorch and torchao (six seconds).
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from resnet_hls.errors import UserError
from resnet_hls.frontend.torch_factory import is_factory, load_factory, quiet, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, fx, nn

    Images = Tensor | NDArray[np.float32]

__all__ = [
    "ImportedModule",
    "QuantizedModule",
    "is_factory",
    "is_quantized",
    "load_factory",
    "quantize",
    "to_linalg",
]

_BATCH = 64


@dataclass(frozen=True)
class ImportedModule:
    """An imported network: linalg on tensors with float quantize and dequantize.

    Attributes:
        text: MLIR bytecode, whose locations are layer names; ``ir.Module.parse`` takes it.
        name: its public function, a C identifier: tensor<1xCxHxWxf32> -> tensor<…xf32>.
        input_shape: of the function's argument.
        output_shape: of the network's output; the function's result may have two dimensions of size 1 more.
        notes: what a user should know, one line each.
    """

    text: bytes
    name: str
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class QuantizedModule:
    """A network in PT2E form (quantize and dequantize operators around float ones).

    Attributes:
        module: the converted graph; it takes any batch size.
        input_shape: of one image, (C, H, W).
        notes: what a user should know, one line each.
    """

    module: fx.GraphModule
    input_shape: tuple[int, ...]
    notes: list[str] = field(default_factory=list)

    def run(self, images: Images) -> NDArray[np.float32]:
        """The logits of float ``images`` (N, C, H, W) in PyTorch's own arithmetic, as the network returns them.

        Raises:
            UserError: images of another shape or a type that is no float.
        """
        import torch

        batch = _image_tensor(images, self.input_shape)
        # NNPACK's fast convolutions round where the direct ones are exact.
        with torch.no_grad(), torch.backends.nnpack.flags(enabled=False):
            results = [self.module(batch[start : start + _BATCH]) for start in range(0, len(batch), _BATCH)]
        logits: NDArray[np.float32] = torch.cat(results).numpy()
        return logits


def is_quantized(module: nn.Module) -> bool:
    """Whether ``module`` is the result of PT2E's ``convert_pt2e`` (a graph with quantize operators)."""
    graph = getattr(module, "graph", None)
    return graph is not None and any("quantized_decomposed" in str(node.target) for node in graph.nodes)


def quantize(module: nn.Module, images: Images | None, choice: Literal["range", "error"] = "error") -> QuantizedModule:
    """Quantize ``module`` to int8 with power-of-two scales and int16 biases, batch norm folded.

    Args:
        module: convolutions, batch norms, ReLUs, adds, concatenations, poolings and linear layers; it is not changed.
            A module that ``convert_pt2e`` made is taken as it is.
        images: calibration images (N, C, H, W), float; activation scales are chosen by what they cause.
        choice: scales by least squared rounding error, tensor by tensor, or by the largest magnitude seen.

    Raises:
        UserError: no or unusable images; an operator without an integer form; a bias that does not fit 16 bits.
    """
    if images is None:
        raise UserError(
            "no calibration images", where=type(module).__name__, help="let the factory return (module, images)"
        )
    with quiet():
        require("torch", "torchao")
        calibration = _image_tensor(images)
        for parameter, values in (*module.named_parameters(), *module.named_buffers()):
            if values.is_floating_point() and not values.isfinite().all():
                message = "holds numbers that are not finite"
                raise UserError(message, where=parameter, help="train again, or load other weights")
        from resnet_hls.frontend import torch_quantize

        converted, notes = torch_quantize.quantize(module, calibration, choice)
    return QuantizedModule(converted, tuple(calibration.shape[1:]), notes)


def loss_of_accuracy(module: nn.Module, quantized: QuantizedModule, images: Images, labels: Any = None) -> str:
    """One line on what quantization costs, "" where there is nothing to tell (one output, or quantized by the caller).

    Args:
        module: the float network.
        quantized: what became of it.
        images: (N, C, H, W), float.
        labels: (N,), the class of each; without them the integers are compared with the float network's own answers.

    Raises:
        UserError: labels of another shape, or no integers.
    """
    import copy

    import torch

    batch = _image_tensor(images)
    if is_quantized(module):
        return ""
    network = copy.deepcopy(module).eval()
    with torch.no_grad():
        results = [network(batch[start : start + _BATCH]).flatten(1) for start in range(0, len(batch), _BATCH)]
    answers = torch.cat(results)
    if answers.shape[1] < 2:
        return ""
    floats, integers = answers.argmax(1), torch.from_numpy(quantized.run(batch)).flatten(1).argmax(1)
    if labels is None:
        percent = 100 * float((floats == integers).float().mean())
        return f"quantized here: integers give the float network's class for {percent:.1f} % of {len(batch)} images"
    truth = torch.as_tensor(labels)
    if truth.shape != (len(batch),) or truth.is_floating_point() or truth.is_complex():
        kind, shape = str(truth.dtype).removeprefix("torch."), tuple(truth.shape)
        raise UserError(f"labels are {kind} of shape {shape}, expected {len(batch)} integers", where="labels")
    before, after = (100 * float((found == truth).float().mean()) for found in (floats, integers))
    return f"quantized here: top-1 {before:.1f} % in float, {after:.1f} % in integers, on {len(batch)} images"


def to_linalg(quantized: QuantizedModule, name: str) -> ImportedModule:
    """Import ``quantized`` for one image, as the public function ``name``.

    The function takes ``tensor<1xCxHxWxf32>``; where the network ends by flattening (1, C, 1, 1), it returns that
    tensor unflattened.

    Raises:
        UserError: torch-mlir cannot import it.
        ValueError: ``name`` is no C identifier.
    """
    import torch
    from torch_mlir import ir
    from torch_mlir.dialects import torch as torch_dialect

    from resnet_hls.frontend import torch_import, torch_lowering

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"{name!r} is no C identifier")
    image = torch.zeros(1, *quantized.input_shape)
    output_shape = quantized.run(image).shape
    context = ir.Context()
    torch_dialect.register_dialect(context)
    with quiet():
        try:
            program = torch_import.export(quantized.module, image)
            imported = torch_import.import_program(program, name, context)
        except (RuntimeError, TypeError, ValueError, LookupError, AssertionError, ir.MLIRError) as problem:
            raise UserError(f"cannot be imported: {first_line(problem)}", where=name) from problem
    output = io.BytesIO()
    imported.operation.write_bytecode(output)
    bytecode = torch_lowering.lower(output.getvalue(), name)
    return ImportedModule(bytecode, name, tuple(image.shape), tuple(output_shape), list(quantized.notes))


def first_line(problem: BaseException) -> str:
    """The first line an exception says, or its type where it says nothing."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return lines[0] if lines else type(problem).__name__


def _image_tensor(images: Any, shape: tuple[int, ...] | None = None) -> Tensor:
    """``images`` as a float32 tensor, checked to be (N, C, H, W), finite, and of ``shape`` (C, H, W) if given."""
    import torch

    tensor = images if isinstance(images, torch.Tensor) else torch.as_tensor(images)
    expected = "(N, C, H, W)" if shape is None else f"(N, {', '.join(map(str, shape))})"
    if tensor.ndim != 4 or tensor.shape[0] == 0 or (shape is not None and tuple(tensor.shape[1:]) != shape):
        raise UserError(f"images have the shape {tuple(tensor.shape)}, expected {expected}", where="images")
    if not tensor.is_floating_point():
        kind = str(tensor.dtype).removeprefix("torch.")
        raise UserError(f"images are {kind}, expected float", where="images", help="divide pixels by 255 first")
    tensor = tensor.detach().to("cpu", torch.float32)
    if not bool(torch.isfinite(tensor).all()):
        raise UserError("images hold a NaN or an infinity", where="images")
    return tensor
