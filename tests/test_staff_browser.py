"""The desk in a real browser: log in, read the report, edit, preview, publish, see the bot answer otherwise, undo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from small_knowledge import DEPOSIT
from staff_site import PASSWORD, Office
from test_report import keep
from werkzeug.serving import make_server

pytest_plugins = ["web_fixtures", "staff_fixtures"]

FILE = "faq/deposit.md"
SHORT = "单位不能收押金，可以要求退还。"


@pytest.fixture
def running(office: Office) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_desk(chromium: Browser, running: str) -> Iterator[Callable[..., Page]]:
    """Open the desk in browsers of their own; a complaint in a console fails the test."""
    contexts, complaints = [], []

    def open_one(**settings: object) -> Page:
        context = chromium.new_context(base_url=running, **settings)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def enter(page: Page) -> Page:
    page.goto("/staff/")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("heading", name="知识库的情况")).to_be_visible()
    return page


def answer(page: Page) -> str:
    page.goto("/")
    before = page.locator(".turn").count()
    page.fill("#q", "押金不退怎么办")
    page.click("#ask button.main")
    expect(page.locator(".turn")).to_have_count(before + 1)
    expect(page.locator(".waiting")).to_have_count(0)
    return page.locator(".turn .lead").last.inner_text()


def test_a_wrong_password_then_the_right_one(open_desk: Callable[..., Page]) -> None:
    page = open_desk()
    page.goto("/staff/report")
    page.get_by_label("密码").fill("not this one")
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("alert")).to_contain_text("密码不对")
    enter(page)
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_label("密码")).to_be_visible()


def test_the_report_leads_to_the_file(open_desk: Callable[..., Page], office: Office) -> None:
    keep(office.store, [("充电桩在哪", "none", None), ("我在流血", "emergency", None)], datetime.now(UTC) - timedelta(hours=1))
    page = enter(open_desk())
    page.get_by_role("link", name="没答上的").click()
    expect(page.locator("td", has_text="充电桩在哪")).to_be_visible()
    expect(page.locator("svg.chart")).to_have_count(2)
    expect(page.locator("main")).not_to_contain_text("流血")
    page.get_by_role("link", name="工资不发怎么办").first.click()
    expect(page.get_by_role("heading", name="faq/wages.md")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_edit_preview_publish_answer_undo(open_desk: Callable[..., Page], script: bool) -> None:
    page, rider = enter(open_desk(java_script_enabled=script)), open_desk()
    assert answer(rider) == SHORT
    page.goto(f"/staff/edit/{FILE}")
    page.fill("#text", DEPOSIT.replace(SHORT, "押金要得回来。"))
    page.get_by_role("button", name="检查和预览").click()
    expect(page.locator(".phone").first).to_contain_text("押金要得回来。")
    assert answer(rider) == SHORT
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("已发布")
    assert answer(rider) == "押金要得回来。"
    page.get_by_role("button", name="撤销最近一次改动").click()
    expect(page.get_by_role("alert")).to_contain_text("已发布")
    assert answer(rider) == SHORT


def test_mistakes_are_told_while_typing_and_lead_to_their_line(open_desk: Callable[..., Page]) -> None:
    page = enter(open_desk())
    page.goto(f"/staff/edit/{FILE}")
    page.fill("#text", DEPOSIT.replace("监察支队", "监查支队", 1))
    link = page.locator("#checked .troubles a").first
    expect(link).to_have_text("第8行")
    link.click()
    chosen = page.evaluate("text.value.slice(text.selectionStart, text.selectionEnd)")
    assert chosen == "- 责任科室：监查支队"
    page.fill("#text", DEPOSIT)
    expect(page.locator("#checked .troubles li:not(.mild)")).to_have_count(0)


def test_a_stolen_question_is_refused_and_the_text_stays(open_desk: Callable[..., Page]) -> None:
    page = enter(open_desk())
    page.goto(f"/staff/edit/{FILE}")
    stealing = DEPOSIT.replace("- 公司扣着我的身份证", "- 没工作了想登记失业了")
    page.fill("#text", stealing)
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("没有发布")
    expect(page.locator(".troubles")).to_contain_text("会抢走「失业登记怎么办」")
    assert page.input_value("#text") == stealing


def test_two_browsers_at_once(open_desk: Callable[..., Page]) -> None:
    anna, ben = enter(open_desk()), enter(open_desk())
    for page, said in ((anna, "甲说可以退。"), (ben, "乙说可以退。")):
        page.goto(f"/staff/edit/{FILE}")
        page.fill("#text", DEPOSIT.replace(SHORT, said))
    for page in (anna, ben):
        page.get_by_role("button", name="发布", exact=True).click()
        expect(page.get_by_role("alert")).to_be_visible()
    expect(anna.get_by_role("alert")).to_contain_text("已发布")
    expect(ben.get_by_role("alert")).to_contain_text("别人改过")
    assert "甲说可以退。" in ben.input_value("#text")
    assert "乙说可以退。" in ben.input_value("#mine-text")


def test_unpublished_text_is_not_lost_by_a_slip(open_desk: Callable[..., Page]) -> None:
    page = enter(open_desk())
    page.goto(f"/staff/edit/{FILE}")
    page.locator("#text").press("End")
    page.locator("#text").type("，再加一句")
    asked = []

    def stay(dialog: object) -> None:
        asked.append(dialog)
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", stay)
    page.get_by_role("link", name="情况").click()
    expect(page.get_by_role("heading", name="知识库的情况")).to_be_visible()
    assert len(asked) == 1
