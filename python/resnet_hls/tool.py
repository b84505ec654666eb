# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the command line tools share: arguments, input, output, and errors as lines instead of tracebacks."""

import argparse
import contextlib
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from resnet_hls import __version__
from resnet_hls.errors import UserError, one_line, raise_if_interrupted
from resnet_hls.files import replace_file
from resnet_hls.project import folder

#: The lines between two modules in one file, as MLIR's own tools write and read them.
SPLIT_MARKER = "// -----"
#: Of paths in messages.
_LONGEST_PATH = 1000
#: Characters of the input's name that a crash is told with, in a buffer of 4 KiB.
_SHOWN = 700
#: Of processor time to read a megabyte: a hundred times what it takes.
_SECONDS = 15
_OUT_OF_TIME = signal.SIGVTALRM
_limits_time = False


class ArgumentParser(argparse.ArgumentParser):
    """An argument parser whose errors are UserErrors with exit status 2."""

    def __init__(self, prog: str, description: str, **options: Any) -> None:
        super().__init__(prog, description=description, **options)
        self.add_argument("--version", action="version", version=f"{prog} {__version__}", help="tell the version")

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing the usage and leaving."""
        raise UserError(message, help=f"'{self.prog} --help' lists the options", status=2)


def run_tool(name: str, main: Callable[[], int]) -> int:
    """The exit status of `main`; a UserError becomes its lines on stderr and its status."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # file names that are no text, terminals without our signs
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = main()
        sys.stdout.flush()
        return status
    except UserError as error:
        if os.environ.get("RESNET_HLS_TRACEBACK"):
            traceback.print_exc()
        print(error.render(name), file=sys.stderr)
        return error.status
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _interrupted(name)
    except OSError as error:  # what nobody expected of a path: a name too long, a disk that fails
        if os.environ.get("RESNET_HLS_TRACEBACK"):
            traceback.print_exc()
        where = str(error.filename or "")[:_LONGEST_PATH]
        said = UserError(error.strerror or str(error), where=where, help="check the path and its permissions")
        print(said.render(name), file=sys.stderr)
        return said.status
    except MemoryError:  # of MLIR's parsers, too, where a size in the input lies
        said = UserError("needs more memory than there is", help="is the input damaged?")
        print(said.render(name), file=sys.stderr)
        return said.status
    except ImportError as error:
        if "_cycles" not in str(error):
            raise
        if os.environ.get("RESNET_HLS_TRACEBACK"):
            traceback.print_exc()
        # An editable installation whose sources are newer than what was built of them.
        help = "build it: `cmake --workflow --preset demo`, or install the package anew"
        said = UserError(f"is not what the sources need: {error}", where="the extension of C++", help=help)
        print(said.render(name), file=sys.stderr)
        return said.status
    except Exception as error:
        try:
            raise_if_interrupted(error)
        except KeyboardInterrupt:
            return _interrupted(name)
        raise


def tell_crashes(name: str, where: str) -> None:
    """Let a crash below Python be an error of one line. Only for a process that is this tool's: the whole process ends.

    MLIR's parsers and passes check most of what they are given, but not all of it. From then on `reading` limits time.

    Args:
        name: of the tool.
        where: the input, as the user named it.
    """
    if os.environ.get("RESNET_HLS_TRACEBACK"):
        import faulthandler

        faulthandler.enable()
        return
    from resnet_hls.simulate._cycles import end_with

    start = f"{name}: error: {one_line(where)[:_SHOWN]}: MLIR or another library"
    damaged = "the input is damaged in a way that it does not check; if not,"
    for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT):
        help = f"{damaged} RESNET_HLS_TRACEBACK=1 says where: report it"
        end_with(number, f"{start} crashed on it ({number.name})\nhelp: {help}\n")
    end_with(_OUT_OF_TIME, f"{start} does not come to its end\nhelp: {damaged} RESNET_HLS_TRACEBACK=1 sets no limit\n")
    global _limits_time
    _limits_time = True


@contextlib.contextmanager
def reading(size: int) -> Iterator[None]:
    """Ends the process, in words, when a library takes forever to read `size` bytes, as MLIR does where a count in
    bytecode lies. After `tell_crashes` only: elsewhere it does nothing.
    """
    if _limits_time:
        signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS * (1 + size / 2**20))
    try:
        yield
    finally:
        if _limits_time:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def _interrupted(name: str) -> int:
    print(f"{name}: interrupted", file=sys.stderr)
    return 130


def read_input(path: str) -> bytes:
    """The content of the file at `path`, or of stdin for "-".

    Raises:
        UserError: there is no such file, or it cannot be read.
    """
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except FileNotFoundError:
        raise UserError("there is no such file", where=path, help="check the path; '-' reads standard input") from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=path, help="check the path") from None


def write_output(path: str, text: str) -> None:
    """Write `text` to the file at `path`, whole or not at all, or to stdout for "-".

    Raises:
        UserError: the file cannot be written.
    """
    if path == "-":
        sys.stdout.write(text)
        return
    target = Path(path)
    try:
        replace_file(target, text)
    except OSError as error:
        help = "choose another output with -o" if target.parent.is_dir() else f"make the folder {target.parent} first"
        raise UserError(f"cannot be written: {error.strerror}", where=path, help=help) from None


def write_folder(path: str, files: Mapping[str, str]) -> None:
    """Make a folder of `files` (name -> text) at `path`, where there is none yet or an empty one; all of it or nothing.

    Raises:
        UserError: the folder holds something, or cannot be written.
    """
    target = Path(path)
    if target.is_dir() and any(target.iterdir()):
        raise UserError("the folder is not empty", where=path, help="choose another folder with -o, or empty this one")
    with folder.appearing(target, force=False) as temporary:
        for name, text in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_text(text, encoding="utf-8")
