"""The desk in a real browser: log in, read the report, edit, preview, publish, see the bot answer otherwise, undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from small_knowledge import DEPOSIT
from staff_site import PASSWORD, Office
from test_report import keep

pytest_plugins = ["web_fixtures", "staff_fixtures"]

FILE = "faq/deposit.md"
SHORT = "单位不能收押金，可以要求退还。"


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


def test_the_report_leads_to_the_wording_that_is_missing(open_desk: Callable[..., Page], office: Office) -> None:
    keep(office.store, [("充电桩在哪", "none", None), ("我在流血", "emergency", None)], datetime.now(UTC) - timedelta(hours=1))
    page = enter(open_desk())
    page.get_by_role("link", name="没答上的").click()
    expect(page.locator("td", has_text="充电桩在哪")).to_be_visible()
    expect(page.locator("svg.chart")).to_have_count(2)
    expect(page.locator("main")).not_to_contain_text("流血")
    page.get_by_role("link", name="加到它的问法里").first.click()
    expect(page.get_by_role("heading", name="faq/wages.md")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("「充电桩在哪」已经写在第18行，还没有发布")
    chosen = page.evaluate("text.value.slice(text.selectionStart, text.selectionEnd)")
    assert chosen == "- 充电桩在哪"
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("已发布")
    page.get_by_role("link", name="情况").click()
    expect(page.locator("#missed")).to_contain_text("现在都答得上了")


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


def test_an_answer_for_what_nobody_wrote_down_yet(open_desk: Callable[..., Page], office: Office) -> None:
    """From the list of what was not found to a new file, and back."""
    keep(office.store, [("雨衣头盔谁出钱", "none", None)], datetime.now(UTC) - timedelta(hours=1))
    page = enter(open_desk())
    page.get_by_role("link", name="写一条新的").click()
    expect(page.get_by_role("heading", name="faq/雨衣头盔谁出钱.md")).to_be_visible()
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("没有发布")
    text = (
        page.input_value("#text")
        .replace("依据：（待写）", "依据：示例法 第9条")
        .replace("核对日期：（待写）", "核对日期：2026-11-20")
    )
    for field, value in (("责任科室", "监察支队"), ("去哪办", "人社局"), ("措施", "7")):
        text = text.replace(f"{field}：（待写）", f"{field}：{value}")
    page.fill("#text", text.replace("（待写）", "公司出，不能扣钱。"))
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("已发布")
    page.goto("/staff/files")
    expect(page.get_by_role("link", name="faq/雨衣头盔谁出钱.md")).to_be_visible()
    page.get_by_role("link", name="faq/雨衣头盔谁出钱.md").click()
    page.get_by_role("button", name="去掉这个新文件").click()
    expect(page.get_by_role("alert")).to_contain_text("已经去掉这个文件")
    assert not (office.folder / "faq" / "雨衣头盔谁出钱.md").exists()


def test_an_editor_is_told_at_once_that_somebody_else_published(open_desk: Callable[..., Page], office: Office) -> None:
    page = enter(open_desk())
    page.goto(f"/staff/edit/{FILE}")
    (office.folder / FILE).write_text(DEPOSIT.replace(SHORT, "别人写的。"), encoding="utf-8")
    page.fill("#text", DEPOSIT.replace(SHORT, "我写的。"))
    expect(page.locator("#checked")).to_contain_text("别人改过这个文件")


def test_a_place_in_a_long_file_is_found(open_desk: Callable[..., Page]) -> None:
    page = enter(open_desk())
    page.goto(f"/staff/edit/{FILE}#line-32")
    chosen = "text.value.slice(text.selectionStart, text.selectionEnd)"
    assert page.evaluate(chosen).startswith("## 身份证被扣怎么办")
    page.get_by_text("跳到（2 条）").click()
    page.get_by_role("link", name="押金不退怎么要回来").click()
    assert page.evaluate(chosen).startswith("## 押金不退怎么要回来")


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
