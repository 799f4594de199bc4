"""Every page of the desk before the judges of the public pages: axe-core, html-validate, and its contrast."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from small_knowledge import DEPOSIT
from staff_site import Office, opened_mark, send
from test_browser_standards import HERE, LOW_CONTRAST, RUN_AXE
from test_report import keep
from test_staff_browser import FILE, SHORT, enter

pytest_plugins = ["web_fixtures", "staff_fixtures"]

GUIDE = (HERE.parent / "knowledge" / "README.md").read_text(encoding="utf-8")
WIDTHS = {"phone": (390, 844), "desktop": (1280, 900)}
STEALING = DEPOSIT.replace("- 公司扣着我的身份证", "- 没工作了想登记失业了")
MOVED = DEPOSIT.replace("- 公司扣着我的身份证\n", "").replace("- 押金不退怎么办\n", "- 押金不退怎么办\n- 公司扣着我的身份证\n")
ADDRESSES = (
    "/staff/",
    "/staff/report",
    "/staff/files",
    "/staff/files?q=押金",
    "/staff/why",
    "/staff/why?q=站点押着我的押金",
    "/staff/why?q=流血",
    "/staff/guide",
    "/staff/new?name=雨衣",
    f"/staff/edit/{FILE}",
    f"/staff/edit/{FILE}?entry=deposit-refund&add=站点押着我的押金",
)


@pytest.fixture
def busy(office: Office) -> Office:
    """A desk with something of everything: questions of each kind, entries that are due, a guide."""
    (office.folder / "README.md").write_text(GUIDE, encoding="utf-8")
    old = DEPOSIT.replace("2026-11-01", "2020-01-01", 1)
    (office.folder / FILE).write_text(old, encoding="utf-8")
    office.workshop._look()
    asked = [
        ("充电桩在哪", "none", None),
        ("押金", "choices", None),
        ("工资压了", "answer", False),
        ("流血", "emergency", None),
    ]
    for days in (1, 3):
        keep(office.store, asked * 3, datetime.now(UTC) - timedelta(days=days))
    return office


def broken(office: Office) -> None:
    (office.folder / "faq" / "wages.md").write_text("# 工资\n", encoding="utf-8")
    office.workshop._look()


def states(page: Page, office: Office) -> list[tuple[str, Callable[[], Any]]]:
    """Return, by name, what brings a page to what people see after they have done something."""

    def box(text: str, button: str) -> None:
        page.goto(f"/staff/edit/{FILE}")
        page.fill("#text", text)
        expect(page.locator("#checked .troubles, #checked .good").first).to_be_visible()
        page.get_by_role("button", name=button, exact=True).click()
        page.wait_for_load_state()

    def conflict() -> None:
        page.goto(f"/staff/edit/{FILE}")
        page.fill("#text", DEPOSIT.replace(SHORT, "我写的。"))
        (office.folder / FILE).write_text(DEPOSIT.replace(SHORT, "别人写的。"), encoding="utf-8")
        page.get_by_role("button", name="发布", exact=True).click()
        expect(page.locator("#mine-text")).to_be_visible()

    def wrong() -> None:
        broken(office)
        page.goto("/staff/")

    return [
        ("preview", lambda: box(MOVED, "检查和预览")),
        ("refused", lambda: box(STEALING, "发布")),
        ("published", lambda: box(DEPOSIT.replace(SHORT, "押金要得回来。"), "发布")),
        ("conflict", conflict),
        ("problems", wrong),
        ("files with problems", lambda: page.goto("/staff/files")),
        ("file with problems", lambda: page.goto("/staff/edit/faq/wages.md")),
    ]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_and_contrast(open_desk: Callable[..., Page], node_modules: Path, busy: Office, theme: str, width: str) -> None:
    wide, high = WIDTHS[width]
    viewport = {"width": wide, "height": high}
    page = open_desk(color_scheme=theme, reduced_motion="reduce", viewport=viewport)
    axe = (node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}

    def judge(name: str) -> None:
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        page.evaluate(axe)
        # What does not fit must be broken or scrolled in itself: nobody scrolls a page sideways.
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        found[name] = [*page.evaluate(RUN_AXE), *page.evaluate(LOW_CONTRAST), *([f"{wider}px too wide"] if wider > 0 else [])]

    page.goto("/staff/login")
    judge("login")
    page.get_by_label("密码").fill("wrong")
    page.get_by_role("button", name="登录").click()
    judge("wrong password")
    enter(page)
    page.on("dialog", lambda dialog: dialog.accept())
    for address in ADDRESSES:
        page.goto(address)
        judge(address)
    for name, bring in states(page, busy):
        bring()
        judge(name)
    assert {name: violations for name, violations in found.items() if violations} == {}


def test_html_is_valid(busy: Office, node_modules: Path, tmp_path: Path) -> None:
    client = busy.colleague()
    pages = {address: client.get(address).text for address in ADDRESSES}
    mark = opened_mark(client, FILE)
    for text, do in ((MOVED, "preview"), (STEALING, "publish"), (DEPOSIT.replace(SHORT, "押金要得回来。"), "publish")):
        pages[f"{do} {len(pages)}"] = send(client, "edit", FILE, text=text, do=do, days="7", mark=mark).text
    pages["conflict"] = send(client, "edit", FILE, text=MOVED, do="publish", mark=mark).text
    pages["login"] = busy.visitor().get("/staff/login").text
    broken(busy)
    pages |= {f"broken {address}": client.get(address).text for address in ADDRESSES[:3]}
    folder = tmp_path / "pages"
    folder.mkdir()
    for number, text in enumerate(pages.values()):
        (folder / f"{number}.html").write_text(text, encoding="utf-8")
    tool = node_modules / ".bin" / "html-validate"
    options = ("--config", HERE / "html-validate.json")
    done = subprocess.run(
        [tool, *options, *sorted(folder.iterdir())], capture_output=True, check=False, text=True, cwd=node_modules.parent
    )
    assert done.returncode == 0, f"{dict(enumerate(pages))}\n{done.stdout}{done.stderr}"
