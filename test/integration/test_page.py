# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`report.html` in a browser: it loads nothing, every link leads somewhere, and a keyboard is enough."""

from __future__ import annotations

import io
import itertools
import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from integration_tool import RealDesign, Tool
from rich.console import Console
from test_import import made_report

from resnet_hls.errors import UserError
from resnet_hls.report import command, verified
from resnet_hls.report import page as pages

NAMES = ("chromium", "chromium-browser", "google-chrome")
#: What a name must not become.
HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'>\"&{{7*7}}"
#: The contrast of texts against what is behind them, the least of them, and of whose.
CONTRAST = """
() => {
  const channel = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const luminance = (colour) => {
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (!/, 0\\)$/.test(colour)) return colour;
    }
    return "white";
  };
  let least = [99, ""];
  const note = (front, back, what) => {
    const [a, b] = [luminance(front), luminance(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < least[0]) least = [ratio, what];
  };
  const texts = "h1 span, p, li, dt, dd, caption, th, td, a, small, summary span, .how";
  for (const one of document.querySelectorAll(texts)) {
    if (one.closest("svg") || !one.textContent.trim()) continue;
    note(getComputedStyle(one).color, behind(one), one.outerHTML.slice(0, 200));
  }
  for (const task of document.querySelectorAll("svg.graph a.task")) {
    const style = (selector, key) => getComputedStyle(task.querySelector(selector))[key];
    note(style("text", "fill"), style("rect", "fill"), task.dataset.task);
  }
  return least;
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium of the system; no browser is fetched."""
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("needs chromium")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield found
        found.close()


class Opened:
    """A page, and what it did besides."""

    def __init__(self, browser: Any, file: Path, scheme: str = "light") -> None:
        self.page = browser.new_page(color_scheme=scheme, viewport={"width": 1360, "height": 900})
        self.told: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.refused: dict[str, str] = {}
        self.page.on("requestfailed", lambda request: self.refused.update({request.url: request.failure}))
        self.page.on("dialog", lambda dialog: self.told.append(dialog.message))
        self.page.goto(file.as_uri())

    def all(self, script: str) -> Any:
        return self.page.evaluate(script)


@pytest.fixture(scope="module")
def opened(browser: Any, project: Path) -> Iterator[Opened]:
    """The page of `project`."""
    found = Opened(browser, project / "report.html")
    yield found
    found.page.close()


@pytest.fixture(scope="module")
def report(project: Path) -> dict[str, Any]:
    """What it shows."""
    content: dict[str, Any] = json.loads((project / "report.json").read_text())
    return content


def test_is_silent(opened: Opened, project: Path) -> None:
    assert opened.told == []
    assert opened.requests == [(project / "report.html").as_uri()]
    assert not re.search(r"""(?:src|href)=["'](?!#)""", (project / "report.html").read_text().partition("<script>")[0])


def test_may_load_and_run_nothing(browser: Any, project: Path) -> None:
    """If a name got through the escaping, it could do nothing."""
    found = Opened(browser, project / "report.html")
    put = "<img src='http://127.0.0.1:9/a.png' onerror='window.hacked = 1'><iframe src='http://127.0.0.1:9/'></iframe>"
    found.all(f"() => document.body.insertAdjacentHTML('beforeend', {json.dumps(put)})")
    found.all("() => document.body.append(Object.assign(document.createElement('script'), {text: 'hacked = 1'}))")
    found.page.wait_for_timeout(200)
    assert found.all("() => window.hacked") is None
    assert {url: found.refused.get(url) for url in found.requests[1:]} == dict.fromkeys(found.requests[1:], "csp")
    assert len(found.told) >= 3
    assert all("Content Security Policy" in told for told in found.told)
    found.page.close()


def test_links(opened: Opened, report: dict[str, Any]) -> None:
    identifiers = opened.all("() => [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(identifiers) == len(set(identifiers))
    links = opened.all("() => [...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href'))")
    assert all(link.startswith("#") for link in links)
    assert {link[1:] for link in links} <= set(identifiers)
    for row in report["per_task"]:
        for kind in ("task", "node", "cpp", "mlir", "cycles", "takes"):
            assert f"{kind}-{row['name']}" in identifiers
    for row in report["streams"]:
        assert f"stream-{row['name']}" in identifiers


def test_a_task_leads_to_its_lines(opened: Opened, project: Path, report: dict[str, Any]) -> None:
    page = opened.page
    row = next(row for row in report["per_task"] if row["macs"])
    details = page.locator(f"#task-{row['name']}")
    assert not details.evaluate("(one) => one.open")
    page.locator(f"#node-{row['name']}").focus()
    page.keyboard.press("Enter")
    page.locator(f"#task-{row['name']}[open]").wait_for(state="attached")
    assert details.locator("summary").is_visible()
    for kind, file in (("cpp", "src/tasks.cpp"), ("mlir", "ir/40-scheduled.mlir")):
        figure = details.locator(f"#{kind}-{row['name']}")
        first, last = re.search(r":(\d+)–(\d+)", figure.locator("figcaption").inner_text()).groups()  # type: ignore[union-attr]
        lines = (project / file).read_text().splitlines()[int(first) - 1 : int(last)]
        shown = figure.locator("pre").nth(1).inner_text().splitlines()
        assert len(shown) == len(lines)
        assert all(line.split()[:1] == whole.split()[:1] for line, whole in zip(shown, lines, strict=True))
    assert f"void {row['name']}(" in details.inner_text()
    layer = details.locator("dd a").first
    assert layer.inner_text() == row["layer"]
    layer.click()
    page.wait_for_url("**/report.html#layer-*")
    target = page.locator(f"[id='{page.evaluate('location.hash.slice(1)')}']")
    assert target.evaluate("(one) => one.open")
    back = target.locator(f"a[href='#task-{row['name']}']").first
    assert back.is_visible()
    page.goto(page.url.partition("#")[0])


def test_keyboard_reaches_the_tasks(browser: Any, project: Path, report: dict[str, Any]) -> None:
    page, reached = Opened(browser, project / "report.html").page, set()
    for _ in range(300):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
              const one = document.activeElement;
              const style = getComputedStyle(one.matches("svg a") ? one.querySelector("rect") : one);
              return [one.dataset.task ?? "", style.outlineStyle !== "none" || parseFloat(style.strokeWidth) >= 3];
            }"""
        )
        assert focused[1], "a focus that is not seen"
        reached.add(focused[0])
        if {row["name"] for row in report["per_task"]} <= reached:
            break
    else:
        pytest.fail(f"only {sorted(reached)}")
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_schemes(browser: Any, project: Path, scheme: str) -> None:
    found = Opened(browser, project / "report.html", scheme)
    least, whose = found.all(CONTRAST)
    assert least >= 4.5, whose
    colour = found.all("() => getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", colour))) < 200) == (scheme == "dark")
    assert found.told == []
    found.page.close()


def test_structure(opened: Opened, report: dict[str, Any]) -> None:
    """What a screen reader goes by: headings without gaps, captions, scopes, a title for each picture."""
    levels = opened.all("() => [...document.querySelectorAll('h1, h2, h3, h4')].map((one) => +one.tagName[1])")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert opened.all("() => document.documentElement.lang") == "en"
    unnamed = (
        "() => [...document.querySelectorAll('table')].filter((t) => !t.caption && !t.ariaLabelledByElements).length"
    )
    assert opened.all(unnamed) == 0
    assert opened.all("() => document.querySelectorAll('th:not([scope])').length") == 0
    assert opened.all("() => document.querySelectorAll('main svg:not([aria-hidden]) > title').length") == 2
    tasks = opened.all("() => [...document.querySelectorAll('svg a.task > title')].map((one) => one.textContent)")
    assert [told.partition(":")[0] for told in tasks] == [row["name"] for row in report["per_task"]]
    for tag in ("#cycles", "#resources table:first-of-type"):
        rows = opened.page.locator(f"{tag} tbody").first.locator("tr")
        assert rows.count() == len(report["per_task"])


def test_sorting(opened: Opened, report: dict[str, Any]) -> None:
    names = [row["name"] for row in report["per_task"]]
    by_lut = [row["name"] for row in sorted(report["per_task"], key=lambda row: -row["lut"])]
    table = opened.page.locator("#resources table").first
    button = table.locator("thead button", has_text="LUT")
    orders = []
    for _ in range(3):
        button.click()
        orders.append(table.locator("tbody th").all_inner_texts())
    assert orders[0] == by_lut
    assert sorted(orders[1]) == sorted(names)
    assert orders[2] == names
    assert table.locator("th[aria-sort]").count() == 0


def test_nothing_overlaps(browser: Any, real_design: RealDesign, resnet20_onnx: Path) -> None:
    """The graph of a large design: no two tasks overlap, names stay inside, and the page is small."""
    file = real_design(resnet20_onnx, "kv260") / "report.html"
    assert file.stat().st_size < 2e6
    found = Opened(browser, file)
    boxes = found.all(
        """() => [...document.querySelectorAll("svg.graph .task")].map((task) => {
          const box = (one) => { const b = one.getBBox(); return [b.x, b.y, b.x + b.width, b.y + b.height]; };
          return [task.dataset.task ?? "", box(task.querySelector("rect")), box(task.querySelector("text"))];
        })"""
    )
    assert len(boxes) > 40
    for number, (name, outer, inner) in enumerate(boxes):
        assert outer[0] <= inner[0] < inner[2] <= outer[2], name
        assert outer[1] <= inner[1] < inner[3] <= outer[3], name
        for other, box, _ in boxes[:number]:
            apart = box[2] < outer[0] or outer[2] < box[0] or box[3] < outer[1] or outer[3] < box[1]
            assert apart, (name, other)
    assert found.told == []
    found.page.close()


def test_prints(opened: Opened) -> None:
    content = opened.page.pdf(prefer_css_page_size=True)
    assert content.startswith(b"%PDF")
    assert len(content) > 20_000


def test_hostile_names(browser: Any, project: Path, tmp_path: Path) -> None:
    """Names of layers, of the model, in remarks and in verify's results are text, whatever is in them."""
    found = pages.read(project, json.loads((project / "report.json").read_text()))
    layer = next(row["layer"] for row in found.report["per_task"] if row["macs"])
    escaped = HOSTILE.replace("\\", "\\5C").replace('"', "\\22")
    texts = {name: text.replace(f'loc("{layer}")', f'loc("{escaped}")') for name, text in found.texts.items()}
    told = {"pass": "hls-balance", "where": f"layer '{HOSTILE}'", "message": HOSTILE}
    rows = [{**row, "layer": HOSTILE} if row["layer"] == layer else row for row in found.report["per_task"]]
    changed = {**found.report, "model": HOSTILE, "per_task": rows, "remarks": [told, {**told, "where": ""}]}
    run = {"images_of": HOSTILE, "headers": "fast", "compiler": "g++", "model_by": HOSTILE, "top1_percent": None}
    runs = [{**run, "images": 1, "exact": 1}]
    manifest = {**found.manifest, "command": HOSTILE, "notes": [HOSTILE]}
    material = pages.Material(changed, manifest, texts, runs)
    (tmp_path / "report.html").write_text(pages.render(material), encoding="utf-8")
    shown = Opened(browser, tmp_path / "report.html")
    assert shown.told == []
    assert len(shown.requests) == 1
    assert shown.all("() => window.hacked") is None
    assert shown.all("() => [document.scripts.length, document.images.length]") == [1, 0]
    assert shown.page.locator("h1").inner_text() == f"{HOSTILE} on kv260"
    names = shown.page.locator("#layers summary h3").all_inner_texts()
    assert names.count(HOSTILE) == 1
    links = shown.all("() => [...document.querySelectorAll('a[href]')].map((one) => one.getAttribute('href').slice(1))")
    identifiers = shown.all("() => [...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert set(links) <= set(identifiers)
    shown.page.close()


def test_made_again(tool: Tool, project: Path, tmp_path: Path) -> None:
    """`report --html` gives the same page, and one with what `verify` has found."""
    copy, again = shutil.copytree(project, tmp_path / "copy"), tmp_path / "again.html"
    (copy / "verified.json").unlink(missing_ok=True)
    console = Console(file=io.StringIO(), width=160)
    assert command.run(command.Request(copy, html=again), console) == 0
    assert again.read_text() == (copy / "report.html").read_text()
    assert "not verified yet" in again.read_text()
    made = made_report(copy, tmp_path / "csynth.xml", 2)
    assert command.run(command.Request(copy, html=again, imported=made), console) == 0
    table = again.read_text().partition('<table class="compared">')[2].partition("</table>")[0]
    assert "Vitis HLS" in table
    assert "2.00" in table
    run = {
        "sources": verified.sources(copy),
        "images_of": "my images",
        "headers": "fast",
        "compiler": "g++",
        "model_by": "onnxruntime",
    }
    for exact in (1, 3):  # the second replaces the first
        verified.record(copy, {**run, "images": 3, "exact": exact, "top1_percent": 2 / 3 * 100})
    assert command.run(command.Request(copy, html=again), console) == 0
    assert "3 of 3" in again.read_text()
    done = tool("report", copy)
    assert "verified: 3/3 images bit-exact, top-1 66.67 % (my images;" in done.stdout
    assert "What to change" in done.stdout
    (copy / "src" / "tasks.cpp").write_text("// other C++, which nobody has verified\n")
    assert verified.read(copy) == []
    (copy / "verified.json").write_text("[1")
    assert verified.read(copy) == ()


def test_damaged_reports(project: Path, report: dict[str, Any], tmp_path: Path) -> None:
    """A figure that is gone, or is something else, is an error that names it, or does no harm: never a traceback."""
    copy = shutil.copytree(project, tmp_path / "copy", ignore=shutil.ignore_patterns("src", "ir", "tb", "reference"))
    draw, console = random.Random(5), Console(file=io.StringIO(), width=160)
    errors: list[tuple[str, str]] = []

    def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, one in items:
            yield (*path, key)
            yield from paths(one, (*path, key))

    everything = list(paths(report))
    for _ in range(60):
        changed = json.loads(json.dumps(report))
        *above, last = draw.choice(everything)
        at = changed
        for key in above:
            at = at[key]
        at[last] = draw.choice([None, 0, -1, 1e300, 10**30, "", "input", [], {}, True, float("nan")])
        (copy / "report.json").write_text(json.dumps(changed))
        for request in (command.Request(copy), command.Request(copy, html=tmp_path / "a.html")):
            try:
                command.run(request, console)
            except UserError as error:
                errors.append((str(above[-1] if isinstance(last, int) else last), error.message))
    assert 40 < len(errors) < 120
    assert all("damaged" in message and name in message for name, message in errors)


def test_errors(tool: Tool, project: Path, tmp_path: Path) -> None:
    def error(**more: Any) -> UserError:
        with pytest.raises(UserError) as found:
            command.run(command.Request(project, **more), Console(file=io.StringIO()))
        return found.value

    assert "folder.html: cannot be written" in str(error(html=tmp_path / "no" / "folder.html"))
    assert (error(html=tmp_path / "a.html", json=True).status, error(html=tmp_path, other=project).status) == (2, 2)
    assert "report.json" in str(error(other=tmp_path))
    copy = shutil.copytree(project, tmp_path / "copy")
    (copy / "manifest.json").write_text("{")
    with pytest.raises(UserError, match=r"manifest\.json"):
        command.run(command.Request(copy, html=tmp_path / "a.html"), Console(file=io.StringIO()))
    assert not (tmp_path / "a.html").exists()
    done = tool("report", project, project)
    assert done.returncode == 0, done.stderr
    assert "are the same" in done.stdout
