# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loads a network from a user's Python file: ``path/module.py:factory`` or ``package.module:factory``.

Importing this module is cheap; :func:`load_factory` imports PyTorch and the user's code.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import logging
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from resnet_hls.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn

_USAGE = "give path/module.py:factory or package.module:factory"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep PyTorch's and torchao's warnings about themselves from the user."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def require(*packages: str) -> None:
    """Import ``packages``, without what they say of themselves.

    Raises:
        UserError: one is not installed; it says which extra has it.
    """
    for package in packages:
        try:
            with quiet():
                importlib.import_module(package)
        except ModuleNotFoundError as problem:
            missing = problem.name or package
            raise UserError(f"{missing} is not installed", help="pip install 'resnet-hls[torch]'") from problem


def is_factory(model: str) -> bool:
    """Whether ``model`` has the form ``module.py:factory`` or ``package.module:factory``."""
    module, _, name = model.rpartition(":")
    return bool(module) and name.isidentifier()


def load_factory(model: str) -> tuple[nn.Module, Tensor | None, Tensor | None]:
    """Call the factory that ``model`` names: its module, its calibration images and their labels, None what it has not.

    A factory takes no arguments, and returns an ``nn.Module``, or that and images (N, C, H, W), or these and labels
    (N,), as tensors or numpy arrays. A name that is bound to an ``nn.Module`` will do too.

    Raises:
        UserError: no such file or name, an exception in the user's code, or a result of another type.
    """
    where, separator, name = model.rpartition(":")
    if not separator or not where or not name.isidentifier():
        raise UserError(f"not a factory: '{model}'", help=_USAGE, status=2)
    file = Path(where) if where.endswith(".py") else None
    if file is not None and not file.is_file():  # PyTorch takes seconds to import
        raise UserError("no such file", where=where, help=_USAGE)
    require("torch")
    from torch import nn

    module = _import(where) if file is None else _load_file(file)
    if not hasattr(module, name):
        offered = [
            key
            for key, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", "") == module.__name__
        ]
        hint = f"it defines {', '.join(offered)}" if offered else "it defines no function"
        raise UserError(f"has no attribute '{name}'", where=where, help=hint)
    factory = getattr(module, name)
    if isinstance(factory, nn.Module):
        return factory, None, None
    if not callable(factory):
        raise UserError(f"'{name}' is {_a(factory)}, expected a function", where=where, help=_USAGE)
    result = _guarded(factory, where, f"{name}()", getattr(module, "__file__", None))
    return _check(result, f"{where}:{name}")


def _check(result: Any, where: str) -> tuple[nn.Module, Tensor | None, Tensor | None]:
    import numpy as np
    import torch
    from torch import nn

    help_text = "return an nn.Module, or (nn.Module, images), or (nn.Module, images, labels)"
    arrays: list[Any] = []
    if isinstance(result, (tuple, list)):
        if not 2 <= len(result) <= 3:
            raise UserError(f"returns {len(result)} values, expected one to three", where=where, help=help_text)
        result, *arrays = result
    if not isinstance(result, nn.Module):
        raise UserError(f"returns {_a(result)}, expected an nn.Module", where=where, help=help_text)
    tensors: list[Tensor | None] = [None, None]
    for index, (array, what) in enumerate(zip(arrays, ("images", "labels"), strict=False)):
        tensors[index] = array = torch.from_numpy(array) if isinstance(array, np.ndarray) else array
        if array is not None and not isinstance(array, torch.Tensor):
            raise UserError(f"returns {_a(array)} as {what}, expected a tensor or array", where=where, help=help_text)
    return result, tensors[0], tensors[1]


def _load_file(path: Path) -> ModuleType:
    resolved = path.resolve()
    # The name tells files of one name apart, and lets classes in the file be pickled.
    name = f"{path.stem}_{hashlib.sha256(str(resolved).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, resolved)
    if spec is None or spec.loader is None:
        raise UserError("is no Python file", where=str(path), help=_USAGE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(resolved.parent)
    sys.path.insert(0, folder)  # for the imports of its neighbours
    loader = spec.loader
    try:
        _guarded(lambda: loader.exec_module(module), str(path), "", str(resolved))
    except UserError:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(folder)
    return module


def _import(name: str) -> ModuleType:
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        found = all(part.isidentifier() for part in name.split(".")) and importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        found = False
    try:
        if not found:
            raise UserError("no such Python module", where=name, help=_USAGE)
        module: ModuleType = _guarded(lambda: importlib.import_module(name), name, "", None)
        return module
    finally:
        sys.path.remove(folder)


def _guarded(action: Callable[[], Any], where: str, what: str, file: str | None) -> Any:
    """Run the user's code; an exception in it becomes a message with its type, text and line in ``file``."""
    try:
        return action()
    except UserError:
        raise
    except (Exception, SystemExit) as problem:
        lines = [frame.lineno for frame in traceback.extract_tb(problem.__traceback__) if frame.filename == file]
        line = problem.lineno if isinstance(problem, SyntaxError) else (lines[-1] if lines else None)
        text = " ".join(str(getattr(problem, "msg", problem)).split())
        message = f"{what + ' ' if what else ''}raised {type(problem).__name__}{': ' + text if text else ''}"
        raise UserError(
            message, where=f"{where}:{line}" if line else where, help="the exception is the file's own"
        ) from problem


def _a(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
