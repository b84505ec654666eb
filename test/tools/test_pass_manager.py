# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pipeline text, the registry, and the pass manager as a Python API."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import pytest
from torch_mlir import ir

from resnet_hls import Pass, PassFailure, PassManager, UserError, option, register_pass, remark
from resnet_hls.context import make_context
from resnet_hls.passes import Hook, _registry
from resnet_hls.passes._manager import Remarks, Step

SEEN: list[Any] = []


@register_pass
@dataclass(frozen=True)
class Every(Pass):
    """Have an option of every type."""

    name: ClassVar[str] = "test-every"
    anchor: ClassVar[str | None] = None

    count: int = option(4, "how many")
    ratio: float = 0.5
    switch: bool = False
    label: str = ""
    mode: Literal["fast", "small"] = "fast"
    sizes: tuple[int, ...] = ()
    limit: int | None = None

    def __post_init__(self) -> None:
        """Some values make no sense."""
        if self.count < 0:
            raise ValueError("count must not be negative")

    def run(self, op: ir.Operation) -> None:
        """Note what it was run on."""
        SEEN.append((self, op.name))


@register_pass
@dataclass(frozen=True)
class Reject(Pass):
    """Reject everything."""

    name: ClassVar[str] = "test-reject"

    def run(self, op: ir.Operation) -> None:
        """Reject the first function."""
        raise PassFailure(op.regions[0].blocks[0].operations[0], "is not wanted here", help="go elsewhere")


@register_pass
@dataclass(frozen=True)
class Comment(Pass):
    """Remark on every function."""

    name: ClassVar[str] = "test-comment"
    anchor: ClassVar[str | None] = "func.func"

    def run(self, op: ir.Operation) -> None:
        """Change nothing."""
        remark(op, "is a function")


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


@pytest.fixture
def module() -> ir.Module:
    """Two functions with names as locations."""
    text = """
      func.func @f() { return } loc("layer1"("model.onnx":3:4))
      func.func @g() { return }
    """
    return ir.Module.parse(text, make_context())


def test_nested_passes_run_in_order(module: ir.Module) -> None:
    manager = PassManager.parse("builtin.module( test-every, func.func(test-every{count=1},cse), canonicalize )")
    manager.run(module)
    assert [(own.count, name) for own, name in SEEN] == [(4, "builtin.module"), (1, "func.func"), (1, "func.func")]
    assert str(manager) == "builtin.module(test-every,func.func(test-every{count=1}),func.func(cse),canonicalize)"
    assert str(PassManager.parse(str(manager))) == str(manager)


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("count=7", "count", 7),
        ("ratio=1e-3", "ratio", 1e-3),
        ("switch", "switch", True),
        ("switch=1", "switch", True),
        ("switch=false", "switch", False),
        ("label=word", "label", "word"),
        ("label='a, (b) {c}'", "label", "a, (b) {c}"),
        ('label=""', "label", ""),
        ("mode=small", "mode", "small"),
        ("sizes=1,2,3", "sizes", (1, 2, 3)),
        ("sizes={1, 2}", "sizes", (1, 2)),
        ("sizes={}", "sizes", ()),
        ("limit=3", "limit", 3),
    ],
)
def test_options_have_types(text: str, field: str, value: object) -> None:
    manager = PassManager.parse(f"builtin.module(test-every{{{text}}})")
    again = PassManager.parse(str(manager))
    assert getattr(manager.steps[0].own, field) == getattr(again.steps[0].own, field) == value


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("", "column 1: expected the name of a pass or operation, found the end of the text", "write builtin.module"),
        ("cse", "column 1: a pipeline starts with builtin.module(", "write 'builtin.module(cse)'"),
        ("func.func(cse)", "column 1: a pipeline starts with builtin.module(", ""),
        ("builtin.module(cse", "column 15: '(' is never closed", "add the missing ')'"),
        ("builtin.module(cse))", "column 20: unexpected ')' after the end", "there is a ')' too many"),
        ("builtin.module(cse,,cse)", "column 20: expected the name of a pass or operation, found ','", ""),
        ("builtin.module(cse cse)", "column 20: expected ',' or ')', found 'c'", ""),
        ("builtin.module(test-every{count=1)", "column 26: '{' is never closed", "add the missing '}'"),
        ("builtin.module(test-every{label='a})", "column 33: the quote ' is never closed", ""),
        ("builtin.module(test-every{=1})", "column 27: expected the name of an option, found '='", ""),
        ("builtin.module{a=1}(cse)", "column 1: 'builtin.module' is an operation to run on and takes no options", ""),
        ("builtin.module(test-evry)", "column 16: no pass is called 'test-evry'", "did you mean 'test-every'?"),
        ("builtin.module(canonicalise)", "column 16: no pass is called 'canonicalise'", "did you mean 'canonicalize'?"),
        ("builtin.module(integerise)", "column 16: no pass is called 'integerise'", "did you mean 'hls-integerize'?"),
        ("builtin.module(xyzzy)", "column 16: no pass is called 'xyzzy'", "'resnet-opt --help-passes' lists ours"),
        ("builtin.module(test-every{cont=1})", "column 27: 'test-every' has no option 'cont'", "did you mean 'count'?"),
        ("builtin.module(test-every{z=1})", "column 27: 'test-every' has no option 'z'", "its options are: count, "),
        ("builtin.module(test-reject{z=1})", "column 28: 'test-reject' has no option 'z'", "it has no options"),
        ("builtin.module(test-every{count=1 count=2})", "column 35: option 'count' is given twice", ""),
        ("builtin.module(test-every{count=x})", "column 27: option 'count' takes int, not 'x'", ""),
        ("builtin.module(test-every{count})", "column 27: option 'count' takes int, not nothing", ""),
        ("builtin.module(test-every{switch=on})", "column 27: option 'switch' takes bool, not 'on'", ""),
        ("builtin.module(test-every{mode=x})", "column 27: option 'mode' takes fast or small, not 'x'", ""),
        ("builtin.module(test-every{sizes=1,x})", "column 27: option 'sizes' takes list of int, not '1,x'", ""),
        ("builtin.module(test-every{limit=x})", "column 27: option 'limit' takes int, not 'x'", ""),
        ("builtin.module(test-every{count=-1})", "column 16: 'test-every': count must not be negative", ""),
        ("builtin.module(cse{a=1})", "column 16: 'cse': it has no option 'a'", "lists the options of cse"),
        ("builtin.module(canonicalize{max-iterations=x})", "option 'max-iterations' does not take 'x'", ""),
        ("builtin.module(func.func(test-reject))", "'test-reject' runs on builtin.module, not on func.func", "move it"),
        ("builtin.module(func.func(convert-func-to-llvm))", "runs on builtin.module, not on func.func", "move it into"),
        ("builtin.module(test-every(cse))", "'test-every' is a pass, not an operation", "written in braces"),
    ],
)
def test_malformed_text_says_what_and_where(text: str, message: str, help: str) -> None:
    with pytest.raises(UserError) as caught:
        PassManager.parse(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("pass pipeline: column ")
    assert help in caught.value.help


def test_a_failure_carries_its_place(module: ir.Module) -> None:
    with pytest.raises(PassFailure) as caught:
        PassManager.parse("builtin.module(test-reject)").run(module)
    assert str(caught.value) == "model.onnx:3:4: layer 'layer1': is not wanted here"
    assert caught.value.pass_name == "test-reject"
    assert caught.value.help == "go elsewhere"


def test_hooks_see_the_module_around_every_pass(module: ir.Module) -> None:
    calls = []

    class Note(Hook):
        def before(self, step: Step, module: ir.Operation) -> None:
            calls.append(("before", step.nested_text(), module.name))

        def after(self, step: Step, module: ir.Operation) -> None:
            calls.append(("after", step.nested_text(), module.name))

    PassManager.parse("builtin.module(func.func(cse),test-every)").run(module, [Note()])
    assert calls == [
        ("before", "func.func(cse)", "builtin.module"),
        ("after", "func.func(cse)", "builtin.module"),
        ("before", "test-every", "builtin.module"),
        ("after", "test-every", "builtin.module"),
    ]


def test_remarks_carry_their_place_and_pass(module: ir.Module) -> None:
    remarks = Remarks()
    PassManager.parse("builtin.module(func.func(test-comment,cse),test-every)").run(module, [remarks])
    found = [(remark.pass_name, remark.where.rpartition("/")[2], remark.message) for remark in remarks.found]
    where = ["model.onnx:3:4: layer 'layer1'", "-:3:7"]
    assert found == [("test-comment", place, "is a function") for place in where]
    Comment().run(module.operation)  # outside a pass manager nobody hears it
    assert len(remarks.found) == len(where)


def test_registration_rejects_what_cannot_work() -> None:
    class NoDataclass(Every):
        name: ClassVar[str] = "test-no-dataclass"

    @dataclass(frozen=True)
    class BadName(Pass):
        name: ClassVar[str] = "Bad Name"

        def run(self, op: ir.Operation) -> None: ...

    @dataclass(frozen=True)
    class NoDefault(Pass):
        name: ClassVar[str] = "test-no-default"
        depth: int

        def run(self, op: ir.Operation) -> None: ...

    @dataclass(frozen=True)
    class Taken(Pass):
        name: ClassVar[str] = "test-every"

        def run(self, op: ir.Operation) -> None: ...

    for cls, message in (
        (NoDataclass, "must be a dataclass"),
        (BadName, "is no name for a pass"),
        (NoDefault, "option 'depth' has no default"),
        (Taken, "the pass name 'test-every' is taken by"),
    ):
        with pytest.raises(UserError, match=message):
            register_pass(cls)


def test_names_lead_to_files() -> None:
    """The one name of a pass: hls-fuse-loops, passes/fuse_loops.py, FuseLoops, and test/passes/fuse-loops.mlir."""
    tests = Path(__file__).parents[1]
    for cls in _registry.all_passes():
        if not cls.__module__.startswith("resnet_hls."):
            continue
        assert _registry._module_of(cls.name) == cls.__module__
        package, stem = cls.__module__.split(".")[-2:]
        assert cls.__name__ == "".join(word.capitalize() for word in stem.split("_"))
        assert cls.summary(), cls.name
        assert (tests / package / f"{stem.replace('_', '-')}.mlir").is_file(), f"{cls.name} has no lit test"


def test_a_pass_file_is_found_without_importing_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    imported = []
    monkeypatch.setattr(importlib, "import_module", imported.append)
    monkeypatch.delitem(_registry._registry, "hls-integerize", raising=False)
    _registry.find_pass("hls-integerize")
    assert imported == ["resnet_hls.passes.integerize"]
