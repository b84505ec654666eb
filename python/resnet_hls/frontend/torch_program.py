# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A quantized PyTorch network as a file, so that a project can be verified later and elsewhere without its source.

The file is what `torch.export.save` writes, less what names the machine and the moment: two saves of one network are
byte-identical. Importing this module is cheap; its functions import PyTorch.
"""

from __future__ import annotations

import contextlib
import copy
import io
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from resnet_hls.errors import UserError
from resnet_hls.frontend.torch_factory import quiet, require
from resnet_hls.frontend.torch_module import QuantizedModule, first_line

if TYPE_CHECKING:
    from torch import fx

_LARGEST_BATCH = 4096
#: What PyTorch records of where a graph came from: file names, and numbers that differ from run to run.
_ORIGINS = ("stack_trace", "nn_module_stack", "source_fn_stack", "torch_fn", "from_node", "custom")


def save(quantized: QuantizedModule) -> bytes:
    """The network as the content of a `.pt2` file, for any batch size.

    Raises:
        UserError: PyTorch cannot export it.
    """
    import torch

    with quiet():
        module = copy.deepcopy(quantized.module)
    _drop_unused(module)
    images = torch.zeros(2, *quantized.input_shape)
    batch = {0: torch.export.Dim("images", min=1, max=_LARGEST_BATCH)}
    output = io.BytesIO()
    with quiet():
        try:
            program = torch.export.export(module, (images,), dynamic_shapes=(batch,))
            _forget_origins(program.graph_module)
            torch.export.save(program, output)
        except (RuntimeError, TypeError, ValueError, AssertionError) as problem:
            raise UserError(f"cannot be saved: {first_line(problem)}", where="the quantized network") from problem
    return _same_every_time(output.getvalue())


def load(path: Path, input_shape: tuple[int, ...]) -> QuantizedModule:
    """The network that `save` wrote to `path`; `input_shape` is that of one image, (C, H, W).

    Raises:
        UserError: PyTorch is not installed, or the file is missing or damaged.
    """
    require("torch")
    import torch
    from torch.ao.quantization.fx import _decomposed  # noqa: F401  # registers the quantize and dequantize operators

    if not path.is_file():
        raise UserError("is missing", where=str(path), help="build the project again")
    with quiet(), open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        try:
            module = torch.export.load(str(path)).module(check_guards=False)
        except Exception as problem:  # a damaged archive can raise nearly anything
            message = f"cannot be loaded: {first_line(problem)}"
            raise UserError(message, where=str(path), help="build the project again") from problem
    return QuantizedModule(module, input_shape)


def _drop_unused(module: fx.GraphModule) -> None:
    """Remove what no node of the graph reads, such as the float weights that the integers replaced."""
    used = {str(node.target) for node in module.graph.nodes if node.op == "get_attr"}
    for name in [name for name, _ in (*module.named_parameters(), *module.named_buffers()) if name not in used]:
        owner, _, attribute = name.rpartition(".")
        delattr(module.get_submodule(owner), attribute)


def _forget_origins(module: fx.GraphModule) -> None:
    for node in module.graph.nodes:
        for key in _ORIGINS:
            node.meta.pop(key, None)


def _same_every_time(archive: bytes) -> bytes:
    """The archive with a fixed serialization id, which PyTorch makes from checksums in the order of writing."""
    output = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(output, "w") as target:
        for entry in sorted(source.infolist(), key=lambda entry: entry.filename):
            content = b"0" * 40 if entry.filename.endswith("/.data/serialization_id") else source.read(entry)
            target.writestr(zipfile.ZipInfo(entry.filename), content)
    return output.getvalue()
