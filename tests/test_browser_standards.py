"""Every kind of page before outside judges, axe-core and html-validate, and its contrast measured by ourselves."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page
from web_site import post

pytest_plugins = ["web_fixtures"]

HERE = Path(__file__).parent
PAGES = (
    "/",
    "/a/injury-claim-how",
    "/topics",
    "/topics/10",
    "/offices",
    "/about",
    "/search",
    "/search?q=押金",
    "/guide/guide-injured",
    "/nothing",
)
QUESTIONS = ("送外卖摔伤了怎么申请赔偿", "不给钱", "撞车了，流血不止", "谢谢", "红烧肉怎么做")
"""One for each kind of reply."""

RUN_AXE = """async () => (await axe.run(document, {
  runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"],
  rules: {"color-contrast-enhanced": {enabled: true}},
})).violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`)"""
LOW_CONTRAST = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const found = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest("svg, .hidden, .skip, .quiet, script")) continue;
    const [a, b] = [light(parts(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 7) found.add(`${ratio.toFixed(2)} ${e.outerHTML.slice(0, 80)}`);
  }
  return [...found];
}"""


def visit(tab: Page, name: str) -> None:
    if name != "chat":
        tab.goto(name)
        return
    tab.goto("/")
    for number, text in enumerate(QUESTIONS, 1):
        tab.fill("#q", text)
        tab.click("#ask button.main")
        tab.locator(".turn").nth(number - 1).locator("h2").wait_for(state="attached")
    tab.get_by_role("button", name="没用").first.click()
    tab.locator(".rated").wait_for()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_tab: Callable[..., Page], node_modules: Path, theme: str) -> None:
    tab = open_tab(color_scheme=theme, reduced_motion="reduce")
    axe = (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    found = {}
    for name in (*PAGES, "chat"):
        visit(tab, name)
        tab.evaluate(axe)
        found[name] = tab.evaluate(RUN_AXE)
    assert {name: violations for name, violations in found.items() if violations} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_a_contrast_of_seven(open_tab: Callable[..., Page], theme: str) -> None:
    tab = open_tab(color_scheme=theme, reduced_motion="reduce")
    found = {}
    for name in (*PAGES, "chat"):
        visit(tab, name)
        found[name] = tab.evaluate(LOW_CONTRAST)
    assert {name: low for name, low in found.items() if low} == {}


def test_html_is_valid(visitor: FlaskClient, node_modules: Path, tmp_path: Path) -> None:
    pages = {name: visitor.get(name).text for name in PAGES}
    pages |= {question: post(visitor, "/", q=question).text for question in QUESTIONS}
    folder = tmp_path / "pages"
    folder.mkdir()
    for number, text in enumerate(pages.values()):
        (folder / f"{number}.html").write_text(text, encoding="utf-8")
    tool = node_modules / ".bin" / "html-validate"
    done = subprocess.run(
        [tool, "--config", HERE / "html-validate.json", *sorted(folder.iterdir())],
        capture_output=True,
        check=False,
        text=True,
        cwd=node_modules.parent,
    )
    assert done.returncode == 0, f"{dict(enumerate(pages))}\n{done.stdout}{done.stderr}"
