# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The rules of a dataflow region, checked in the C++ as it is emitted.

Vitis HLS rejects a region that breaks them, or runs its tasks one after the other with a warning that is easily missed
(UG1399, "Limitations of Control-Driven Task-Level Parallelism" and "Canonical Forms"). The IR's contracts promise most
of them; here they are asked of the text, which is what the tool reads. `docs/project.md` has the list.

`python -m resnet_hls.project.dataflow_rules FILES` checks C++ that somebody else has written, or changed.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resnet_hls.project.cpp_functions import Function, Problem, Source, functions, problem, text_of
from resnet_hls.resources import library_folder
from resnet_hls.tool import read_input, run_tool

#: The least depth with which a stream lets both of its tasks run.
_LEAST_DEPTH = 2
_SCALAR = re.compile(r"(const )?(unsigned )?(bool|char|short|int|long|unsigned|std::u?int\d+_t|ap_u?int<\d+>)")


@dataclass
class _Region:
    """What is found of the function with the pragma DATAFLOW."""

    top: Function
    streams: dict[str, Any] = field(default_factory=dict)
    calls: list[tuple[str, list[str], Any]] = field(default_factory=list)


def check(files: Mapping[str, str]) -> list[Problem]:
    """What breaks the rules in the files of an accelerator, by name; nothing where all is well.

    The order is that of the files, then that of the lines.
    """
    sources = [Source(name, text) for name, text in files.items()]
    found: list[Problem] = [p for source in sources for p in source.problems]
    defined = [f for source in sources for f in functions(source)]
    tops = [f for f in defined if any(words[0] == "DATAFLOW" for words in f.pragmas)]
    if len(tops) != 1:
        where = tops[1] if tops else None
        message = f"{len(tops)} functions with the pragma DATAFLOW, expected one"
        node = where.node if where else sources[0].root
        return [*found, problem(where.source if where else sources[0], node, message)]
    by_name = {f.name: f for f in (*_library(), *defined)}
    for source in sources:
        found += _globals(source)
    region = _Region(tops[0])
    found += _body(region)
    found += _interface(region.top)
    tasks = [by_name[name] for name, _, _ in region.calls if name in by_name]
    for task in dict.fromkeys(tasks):
        found += _task(task, {f.name for f in tasks} | {region.top.name})
    found += _connections(region, by_name)
    order = {source.name: n for n, source in enumerate(sources)}
    return sorted(found, key=lambda p: (order.get(p.file, len(order)), p.line))


@functools.cache
def _library() -> list[Function]:
    """The functions that emitted code calls."""
    root = library_folder("include")
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(root.rglob("*.h"))}
    return [f for name, text in texts.items() for f in functions(Source(name, text))]


def _globals(source: Source) -> Iterator[Problem]:
    """Variables outside of functions: all tasks see them, at the same time."""
    for node in source.outermost(source.root):
        declared = node.child_by_field_name("declarator") if node.type == "declaration" else None
        if declared is not None and declared.type != "function_declarator":
            qualifiers = {text_of(c) for c in node.named_children if c.type == "type_qualifier"}
            if not qualifiers & {"const", "constexpr"}:
                name = text_of(declared).split("=")[0].split("[")[0].split("(")[0].strip("*& ")
                yield problem(
                    source, node, f"'{name}' is a variable that all tasks share", "only streams connect tasks"
                )


def _body(region: _Region) -> Iterator[Problem]:
    """The canonical form: streams, then calls of tasks, nothing else."""
    source, body = region.top.source, region.top.body
    for node in body.named_children:
        if node.type in ("comment", "preproc_call"):
            continue
        call = node.named_children[0] if node.type == "expression_statement" and node.named_children else None
        if node.type == "declaration":
            yield from _stream(region, node)
        elif call is not None and call.type == "call_expression":
            callee, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
            region.calls.append((text_of(callee), [text_of(a) for a in arguments.named_children], node))
        elif node.type in ("if_statement", "switch_statement") or (call and call.type == "conditional_expression"):
            yield problem(source, node, "a task runs under a condition", "put the condition inside the task")
        elif node.type in ("for_statement", "while_statement", "do_statement", "labeled_statement", "for_range_loop"):
            yield problem(source, node, "a loop around tasks", "put the loop inside each of the tasks")
        else:
            yield problem(source, node, "neither a stream nor a call of a task", "only these may stand in the region")


def _stream(region: _Region, node: Any) -> Iterator[Problem]:
    """A local variable of the region."""
    source = region.top.source
    kind = text_of(node.child_by_field_name("type"))
    declared = [d for d in source.walk(node) if d.type == "identifier"]
    name = text_of(declared[0]) if declared else "?"
    if not kind.startswith("hls::stream<"):
        yield problem(source, node, f"'{name}' is no stream", "tasks share nothing but streams")
        return
    if "static" in text_of(node).split("<")[0]:
        yield problem(source, node, f"stream '{name}' is static", "it would be the same one in every instance")
    if any(d.type == "array_declarator" for d in source.walk(node)):
        yield problem(source, node, f"'{name}' is an array of streams", "name each of them")
    region.streams[name] = node
    said = [words for words in region.top.pragmas if words[0] == "STREAM" and f"variable={name}" in words]
    depths = [word.removeprefix("depth=") for words in said for word in words if word.startswith("depth=")]
    if len(depths) != 1 or not re.fullmatch(r"\d+", depths[0], re.ASCII):
        known = f"the depth '{depths[0]}', which is no number" if len(depths) == 1 else f"{len(depths)} depths"
        help = f"#pragma HLS STREAM variable={name} depth=N, once, with a number"
        yield problem(source, node, f"stream '{name}' has {known}", help)
    elif int(depths[0]) < _LEAST_DEPTH:
        yield problem(source, node, f"stream '{name}' has room for {depths[0]} words, expected {_LEAST_DEPTH} at least")


def _interface(top: Function) -> Iterator[Problem]:
    """Every port has its protocol, and a register needs calls to belong to."""
    modes: dict[str, list[str]] = {}
    for words in top.pragmas:
        if words[0] == "INTERFACE":
            port = next((w.removeprefix("port=") for w in words if w.startswith("port=")), "")
            mode = next((w.removeprefix("mode=") for w in words if w.startswith("mode=")), words[1])
            modes.setdefault(port, []).append(mode)
    for parameter in top.parameters:
        wanted = "axis" if parameter.is_stream else "s_axilite"
        if not parameter.is_stream and not _SCALAR.fullmatch(parameter.type):
            yield problem(top.source, parameter.node, f"port '{parameter.name}' is neither a stream nor a number")
        elif modes.get(parameter.name) != [wanted]:
            given = " and ".join(modes.get(parameter.name, [])) or "none"
            message = f"port '{parameter.name}' has the interface {given}, expected {wanted}"
            yield problem(top.source, parameter.node, message)
    control = modes.get("return", [])
    if any(not parameter.is_stream for parameter in top.parameters) and "s_axilite" not in control:
        message = (
            f"the call has the interface {' and '.join(control) or 'none'}, but there is a register to read for it"
        )
        yield problem(top.source, top.node, message, "#pragma HLS INTERFACE mode=s_axilite port=return")


def _task(task: Function, tasks: set[str]) -> Iterator[Problem]:
    """One task: what it is given, its loops, how it uses its streams."""
    source = task.source
    if task.returns != "void":
        yield problem(source, task.node, f"task '{task.name}' returns a value", "write it into a stream")
    for parameter in task.parameters:
        if not parameter.is_stream and not _SCALAR.fullmatch(parameter.type):
            message = f"'{parameter.name}' of task '{task.name}' is neither a stream nor a number"
            yield problem(source, parameter.node, message, "an array or reference is shared memory; use a stream")
    for node in source.walk(task.body):
        if node.type in ("break_statement", "goto_statement", "return_statement"):
            what = node.type.removesuffix("_statement")
            yield problem(
                source, node, f"task '{task.name}' has a {what}: loops have one end", "use a condition instead"
            )
        elif node.type in ("while_statement", "do_statement", "for_range_loop"):
            yield problem(
                source, node, f"task '{task.name}' has a loop without a number of iterations", "use a for loop"
            )
        elif node.type == "for_statement":
            yield from _loop(task, node)
        elif node.type == "call_expression":
            yield from _call(task, node, tasks)


def _loop(task: Function, node: Any) -> Iterator[Problem]:
    """Bounds are constants; the outermost may be the number of frames, an argument."""
    condition = node.child_by_field_name("condition")
    text = text_of(condition).strip("() ;") if condition is not None else ""
    match = re.fullmatch(r"(\w+)\s*(<=|>=|!=|<|>)\s*([\w:]+)", text, re.ASCII)
    bound = match[3] if match else ""
    numbers = {p.name for p in task.parameters if not p.is_stream}
    outermost = not any(above.type == "for_statement" for above in task.source.above(node, task.body))
    if re.fullmatch(r"\d+|\w+::\w+", bound, re.ASCII) or (bound in numbers and outermost):
        return
    message = f"a loop of task '{task.name}' runs while '{text}', whose bound is no constant"
    yield problem(task.source, node, message, "only the outermost loop may have a bound from outside")


def _call(task: Function, node: Any, tasks: set[str]) -> Iterator[Problem]:
    called = node.child_by_field_name("function")
    streams = {p.name for p in task.parameters if p.is_stream}
    if called.type == "field_expression":
        on, method = called.child_by_field_name("argument"), text_of(called.child_by_field_name("field"))
        if text_of(on) in streams and method not in ("read", "write"):
            message = f"task '{task.name}' asks {method}() of stream '{text_of(on)}': results depend on when tasks run"
            yield problem(task.source, node, message, "read and write, which wait")
        if on.type != "identifier" and any(
            text_of(i) in streams for i in task.source.walk(on) if i.type == "identifier"
        ):
            yield problem(task.source, node, f"task '{task.name}' chooses a stream by a condition", "name it")
    elif text_of(called).removeprefix("::") in tasks:
        yield problem(task.source, node, f"task '{task.name}' calls task '{text_of(called)}'", "tasks run side by side")


def _connections(region: _Region, by_name: Mapping[str, Function]) -> Iterator[Problem]:
    """One writer and one reader for each stream, in this order; ports one of them."""
    source = region.top.source
    ports = {p.name for p in region.top.parameters if p.is_stream}
    numbers = {p.name for p in region.top.parameters if not p.is_stream}
    ends: dict[str, dict[str, list[int]]] = {name: {"read": [], "write": []} for name in (*region.streams, *ports)}
    called: dict[str, int] = {}
    for place, (name, arguments, node) in enumerate(region.calls):
        task = by_name.get(name)
        if task is None:
            yield problem(source, node, f"'{name}' is no function of these files")
            continue
        if name in called:
            yield problem(source, node, f"task '{name}' is called twice", "each process is a task of its own")
        called[name] = place
        if len(arguments) != len(task.parameters):
            yield problem(source, node, f"task '{name}' gets {len(arguments)} arguments for {len(task.parameters)}")
            continue
        for argument, parameter in zip(arguments, task.parameters, strict=True):
            if argument in ends and parameter.is_stream:
                used = task.uses(parameter.name, by_name)
                if len(used) != 1:
                    what = "reads and writes" if used else "never uses"
                    yield problem(task.source, parameter.node, f"task '{name}' {what} stream '{parameter.name}'")
                for use in used:
                    ends[argument][use].append(place)
            elif argument not in numbers:
                yield problem(
                    source, node, f"'{argument}' is passed to task '{name}'", "pass streams and numbers as they are"
                )
    for name, uses in ends.items():
        node = region.streams.get(name, region.top.node)
        writers, readers = len(uses["write"]), len(uses["read"])
        if name in ports:
            if writers + readers != 1:
                yield problem(source, node, f"port '{name}' has {writers} writers and {readers} readers, expected one")
        elif (writers, readers) != (1, 1):
            yield problem(
                source, node, f"stream '{name}' has {writers} writers and {readers} readers, expected one of each"
            )
        elif uses["write"][0] >= uses["read"][0]:
            message = f"stream '{name}' is read by '{region.calls[uses['read'][0]][0]}' before it is written"
            yield problem(source, node, message, "order tasks as data flows; feedback is not possible")


def main(paths: Sequence[str]) -> int:
    """Checks files, which are those of one accelerator."""
    if not paths:
        print("usage: python -m resnet_hls.project.dataflow_rules FILES", file=sys.stderr)
        return 2
    found = check({path: read_input(path).decode(errors="replace") for path in paths})
    for one in found:
        print(one)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(run_tool("dataflow_rules", lambda: main(sys.argv[1:])))
