# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a pass is, and the table of passes by name.

A pass has one name everywhere: `hls-fuse-loops` is `passes/fuse_loops.py`, `verify-affine` is
`contracts/verify_affine.py`, `convert-a-to-b` is `passes/convert_a_to_b.py`. That is how a name in pipeline text finds
its file without importing the others.
"""

import dataclasses
import importlib
import importlib.util
import inspect
import pkgutil
import re
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, ClassVar, TypeVar

from torch_mlir import ir

from resnet_hls.errors import UserError
from resnet_hls.locations import describe

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class PassFailure(UserError):
    """A pass found IR that it cannot work on.

    Args:
        where: the operation, or the location, that the message is about.
        message: what is wrong there, one line, lower case, no full stop.
        help: a way out, where there is one.

    The pass manager sets `pass_name`.
    """

    pass_name: str = ""

    def __init__(self, where: ir.OpView | ir.Operation | ir.Location, message: str, *, help: str = "") -> None:
        self.location: ir.Location = where if isinstance(where, ir.Location) else where.location
        super().__init__(message, where=describe(self.location), help=help)


@dataclasses.dataclass(frozen=True)
class Remark:
    """What a pass says about its work: why it did something, or why it did not.

    Args:
        pass_name: of the pass that says it.
        location: of the operation that it is about.
        message: one line, lower case, no full stop.
    """

    pass_name: str
    location: ir.Location
    message: str

    @property
    def where(self) -> str:
        """The location as errors print it; "" where it is unknown."""
        return describe(self.location)


#: What takes the remarks of the pass that is running; the pass manager sets it.
remark_sink: ContextVar[Callable[[ir.Location, str], None] | None] = ContextVar("remark_sink", default=None)


def remark(where: ir.OpView | ir.Operation | ir.Location, message: str) -> None:
    """Say why the running pass did or did not do something; nobody hears it outside a PassManager.

    Args:
        where: the operation, or the location, that the remark is about.
        message: one line, lower case, no full stop.
    """
    sink = remark_sink.get()
    if sink is not None:
        sink(where if isinstance(where, ir.Location) else where.location, message)


class Pass(ABC):
    """Base of all passes: a frozen dataclass whose fields are the options and whose docstring is the documentation.

    An option `unroll_factor: int = 4` is `{unroll-factor=4}` in pipeline text. Options are of type bool, int, float,
    str, Literal of strings, tuple of one of these (`{factors=1,2,3}`), or one of these `| None` with None by default.
    """

    name: ClassVar[str]
    #: The kind of operation that `run` gets; None for a pass that runs on any operation.
    anchor: ClassVar[str | None] = "builtin.module"

    @abstractmethod
    def run(self, op: ir.Operation) -> None:
        """Transform or check `op`, an operation named `anchor`.

        The context of `op` is the current one, and the module's location is the default for new operations.

        Raises:
            PassFailure: the IR is not what the pass can work on. What was changed by then is of no use to anyone.
        """

    @classmethod
    def summary(cls) -> str:
        """The first line of the documentation."""
        return (inspect.getdoc(cls) or "").partition("\n")[0].strip()

    @classmethod
    def options(cls) -> tuple["Option", ...]:
        """The options in the order of the fields."""
        hints = typing.get_type_hints(cls)
        return tuple(
            Option(
                field.name.replace("_", "-"),
                field.name,
                hints[field.name],
                field.default,
                field.metadata.get("help", ""),
            )
            for field in dataclasses.fields(cls)  # type: ignore[arg-type]  # register_pass has seen to it
        )

    def __str__(self) -> str:
        """The pass as pipeline text, with those options that differ from their defaults."""
        given = [
            f"{option.name}={_option_text(value)}"
            for option in self.options()
            if (value := getattr(self, option.field)) != option.default
        ]
        return self.name + (f"{{{' '.join(given)}}}" if given else "")


@dataclasses.dataclass(frozen=True)
class Option:
    """An option of a pass: its name in pipeline text, field, type, default value and one line of documentation."""

    name: str
    field: str
    type: Any
    default: Any
    help: str

    @property
    def type_text(self) -> str:
        """The type as the documentation prints it."""
        return _type_text(self.type)

    @property
    def default_text(self) -> str:
        """The default as one would write it in pipeline text; "" where nothing is given by default."""
        return "" if self.default is None else _option_text(self.default)


def option(default: Any, help: str) -> Any:
    """A field of a pass with one line of documentation: `depth: int = option(2, "words in every stream")`."""
    return dataclasses.field(default=default, metadata={"help": help})


PassClass = TypeVar("PassClass", bound=type[Pass])

_registry: dict[str, type[Pass]] = {}


def register_pass(cls: PassClass) -> PassClass:
    """Make a pass known by its name, so that pipeline text can use it; for a class that is a dataclass already.

    Raises:
        UserError: the class is no dataclass, has no proper name, an option without default, or a name that is taken.
    """
    where = f"{cls.__module__}.{cls.__qualname__}"
    name: object = getattr(cls, "name", "")
    if "__dataclass_fields__" not in vars(cls):  # an inherited one would miss the fields of this class
        raise UserError(
            "a pass must be a dataclass", where=where, help="write @register_pass above @dataclass(frozen=True)"
        )
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UserError(
            f"'{name}' is no name for a pass", where=where, help='name: ClassVar[str] = "my-pass", kebab case'
        )
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]  # seen to above
        if field.default is dataclasses.MISSING:
            raise UserError(
                f"option '{field.name}' has no default", where=where, help="give every option a default value"
            )
    other = _registry.get(name)
    if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
        taken = f"{other.__module__}.{other.__qualname__}"
        raise UserError(f"the pass name '{name}' is taken by {taken}", where=where, help="choose another name")
    _registry[name] = cls
    return cls


def find_pass(name: str) -> type[Pass] | None:
    """The pass called `name`, or None if there is none: then it may be one of MLIR's own."""
    if name not in _registry and (module := _module_of(name)) is not None:
        importlib.import_module(module)
    return _registry.get(name)


def all_passes() -> list[type[Pass]]:
    """Every pass, the project's and those registered by a user's own files, sorted by name; imports all pass files."""
    for module in _pass_modules():
        importlib.import_module(module)
    return [_registry[name] for name in sorted(_registry)]


def is_contract(name: str) -> bool:
    """True for the name of a pass that only checks."""
    return name.startswith("verify-")


def _module_of(name: str) -> str | None:
    """The module that holds the pass called `name` by the file name convention, if there is such a file."""
    if not _NAME.fullmatch(name):
        return None
    package = "contracts" if is_contract(name) else "passes"
    module = f"resnet_hls.{package}.{name.removeprefix('hls-').replace('-', '_')}"
    return module if importlib.util.find_spec(module) else None


def _pass_modules() -> Iterator[str]:
    for package_name in ("resnet_hls.passes", "resnet_hls.contracts"):
        package = importlib.import_module(package_name)
        for module in pkgutil.iter_modules(package.__path__, f"{package_name}."):
            if not module.name.rpartition(".")[2].startswith("_"):
                yield module.name


def _type_text(kind: Any) -> str:
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return f"list of {_type_text(arguments[0])}"
    if typing.get_origin(kind) is typing.Literal:
        return " or ".join(str(argument) for argument in arguments)
    if arguments:
        return " or ".join(_type_text(argument) for argument in arguments if argument is not type(None))
    return str(getattr(kind, "__name__", kind))


def _option_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ",".join(_option_text(part) for part in value)
    text = str(value)
    return f'"{text}"' if isinstance(value, str) and re.search(r"[\s{}\"',]|^$", text) else text
