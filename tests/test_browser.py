"""The chat in a real browser, as a rider's phone has it: tapping, typing, losing the network, large, keyboard only."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

pytest_plugins = ["web_fixtures"]

QUESTION = "送外卖摔伤了怎么申请赔偿"
SMALL_TARGETS = """() => [...document.querySelectorAll("a, button, input, textarea, label:has(input)")].filter((e) => {
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const text = e.tagName === "A" && style.display === "inline";  // a link within a sentence
  const covered = e.matches("label input, .skip, [type=hidden]") || !box.width;
  return !text && !covered && (box.height < 43.9 || box.width < 43.9);
}).map((e) => e.outerHTML.slice(0, 120))"""
SIDEWAYS = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
PAGES = (
    "/",
    "/a/injury-claim-how",
    "/topics",
    "/topics/10",
    "/offices",
    "/about",
    "/search?q=押金",
    "/guide/guide-injured",
    "/x",
)


def ask(page: Page, text: str) -> None:
    page.fill("#q", text)
    page.click("#ask button.main")


def turns(page: Page, count: int) -> None:
    """Wait until so many turns stand there, all answered."""
    expect(page.locator(".turn")).to_have_count(count)
    expect(page.locator(".waiting")).to_have_count(0)


def test_ask_and_follow_up(tab: Page) -> None:
    tab.goto("/")
    ask(tab, QUESTION)
    turns(tab, 1)
    expect(tab.locator(".asked")).to_contain_text(QUESTION)
    expect(tab.locator(".turn dt", has_text="去哪办").or_(tab.locator("form.choices button")).first).to_be_visible()
    expect(tab.locator("#q")).to_have_value("")
    expect(tab.locator("#suggest")).to_have_count(0)
    ask(tab, "要什么材料")
    turns(tab, 2)
    expect(tab.locator("[role=log][aria-live=polite] .turn")).to_have_count(2)
    expect(tab.locator("[aria-live]")).to_have_count(1)


def test_choose_by_tapping(tab: Page) -> None:
    tab.goto("/")
    tab.click("#suggest button >> nth=0")
    turns(tab, 1)
    first = tab.locator("form.choices button").first
    wording = re.sub(r"^\d\. ", "", first.inner_text())
    first.click()
    turns(tab, 2)
    expect(tab.locator(".asked").nth(1)).to_contain_text(wording)
    expect(first).to_be_focused()


def test_rate_with_one_tap_and_a_reason(tab: Page) -> None:
    tab.goto("/")
    ask(tab, QUESTION)
    turns(tab, 1)
    tab.get_by_role("button", name="没用").click()
    expect(tab.locator(".rated")).to_be_focused()
    tab.get_by_label("哪里不对").fill("太长")
    tab.get_by_role("button", name="告诉我们").click()
    expect(tab.locator(".rated")).to_contain_text("改好")
    ask(tab, "押金不退怎么办")
    turns(tab, 2)
    tab.get_by_role("button", name="有用").click()
    expect(tab.locator(".rated").nth(1)).to_contain_text("有用")


def test_the_network_goes_and_comes_back(tab: Page) -> None:
    tab.goto("/")
    tab.context.set_offline(True)
    ask(tab, QUESTION)
    expect(tab.locator(".waiting")).to_contain_text("网络断了")
    expect(tab.locator(".asked")).to_contain_text(QUESTION)
    tab.fill("#q", "还没写完")
    tab.context.set_offline(False)
    turns(tab, 1)
    expect(tab.locator(".rate")).to_have_count(1)
    expect(tab.locator("#q")).to_have_value("还没写完")


def test_an_answer_lost_on_the_way_is_fetched_again_not_asked_again(tab: Page) -> None:
    sent: list[str] = []

    def lose_first(route: Route) -> None:
        sent.append(route.request.post_data or "")
        if len(sent) == 1:
            route.fetch()  # the question arrives, its answer does not
            route.abort("internetdisconnected")
        else:
            route.continue_()

    tab.goto("/")
    tab.route(lambda url: url.endswith("/"), lose_first)
    ask(tab, QUESTION)
    turns(tab, 1)
    expect(tab.locator(".rate")).to_have_count(1)
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert re.search(r"\bid=[0-9a-f]{24}\b", sent[0])


def test_a_reload_loses_nothing_and_restart_forgets(tab: Page) -> None:
    tab.goto("/")
    ask(tab, QUESTION)
    turns(tab, 1)
    tab.fill("#q", "没写完")
    tab.reload()
    turns(tab, 1)
    expect(tab.locator("#q")).to_have_value("没写完")
    ask(tab, "要什么材料")
    turns(tab, 2)
    tab.get_by_role("button", name="重新开始").click()
    expect(tab.locator("#suggest")).to_be_visible()
    turns(tab, 0)


def test_a_page_left_open_until_its_cookies_are_gone_still_asks(tab: Page) -> None:
    tab.goto("/")
    tab.context.clear_cookies()
    ask(tab, QUESTION)
    turns(tab, 1)
    expect(tab.locator(".rate")).to_have_count(1)


def test_without_javascript(open_tab: Callable[..., Page]) -> None:
    tab = open_tab(java_script_enabled=False)
    tab.goto("/")
    tab.get_by_role("button", name="我要投诉").click()
    expect(tab.locator(".turn")).to_have_count(1)
    tab.locator("form.choices button").first.click()
    expect(tab.locator(".turn")).to_have_count(1)
    tab.fill("#q", QUESTION)
    tab.get_by_role("button", name="发送").click()
    expect(tab.locator(".asked")).to_contain_text(QUESTION)
    tab.get_by_role("button", name="没用").click()
    tab.get_by_label("哪里不对").fill("太长")
    tab.get_by_role("button", name="告诉我们").click()
    expect(tab.locator("main")).to_contain_text("改好")
    tab.get_by_role("link", name="大字").click()
    expect(tab.locator("html.large")).to_have_count(1)
    tab.get_by_role("link", name="接着问").or_(tab.get_by_role("link", name="提问")).first.click()
    expect(tab.locator("html.large #q")).to_be_visible()


def test_by_keyboard_alone(tab: Page) -> None:
    tab.goto("/")
    tab.keyboard.press("Tab")
    expect(tab.get_by_role("link", name="跳到正文")).to_be_focused()
    tab.keyboard.press("Enter")
    for _ in range(20):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.id") == "q":
            break
    tab.keyboard.insert_text("我受伤了")
    tab.keyboard.press("Enter")
    turns(tab, 1)
    expect(tab.locator("#q")).to_be_focused()
    for _ in range(20):
        tab.keyboard.press("Shift+Tab")
        if tab.evaluate("!!document.activeElement.closest('form.choices')"):
            break
    outline = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    tab.keyboard.press("Enter")
    turns(tab, 2)
    assert outline == "solid"


def test_enter_while_composing_chinese_does_not_send(tab: Page) -> None:
    tab.goto("/")
    tab.fill("#q", "ya jin")
    tab.evaluate("q.dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, cancelable: true}))")
    expect(tab.locator(".turn")).to_have_count(0)
    tab.press("#q", "Shift+Enter")
    expect(tab.locator(".turn")).to_have_count(0)


def test_large_text_keeps_what_is_on_the_page_and_is_remembered(tab: Page) -> None:
    tab.goto("/")
    ask(tab, QUESTION)
    turns(tab, 1)
    size = "parseFloat(getComputedStyle(document.querySelector('.turn p')).fontSize)"
    before = tab.evaluate(size)
    with tab.expect_response(re.compile("/size/large")):
        tab.click("#size")
    turns(tab, 1)
    assert tab.evaluate(size) >= before * 1.25
    tab.goto("/offices")
    expect(tab.locator("html.large")).to_have_count(1)


@pytest.mark.parametrize(
    ("width", "height", "large"),
    [(390, 844, False), (320, 640, False), (320, 640, True), (320, 256, False)],
    ids=["phone", "320px", "320px-large", "400%-of-1280x1024"],
)
def test_nothing_runs_off_the_side_and_everything_can_be_tapped(
    open_tab: Callable[..., Page], width: int, height: int, large: bool
) -> None:
    tab = open_tab(viewport={"width": width, "height": height})
    if large:
        tab.goto("/size/large")
    for path in PAGES:
        tab.goto(path)
        if path == "/":
            ask(tab, "我受伤了")
            turns(tab, 1)
        assert tab.evaluate(SIDEWAYS) is False, path
        assert tab.evaluate(SMALL_TARGETS) == [], path


def test_at_400_percent_the_box_does_not_cover_the_answer(open_tab: Callable[..., Page]) -> None:
    tab = open_tab(viewport={"width": 320, "height": 256})
    tab.goto("/")
    assert tab.evaluate("getComputedStyle(document.querySelector('.composer')).position") == "static"


def test_hotlines_can_be_rung(tab: Page) -> None:
    tab.goto("/")
    ask(tab, "我被车撞了，流血不止")
    turns(tab, 1)
    expect(tab.locator(".emergency .calls a[href='tel:120']")).to_be_visible()


def test_a_leaflet_prints_with_its_code_and_without_navigation(tab: Page) -> None:
    tab.goto("/a/injury-claim-how")
    expect(tab.locator("svg.qr")).to_be_hidden()
    tab.emulate_media(media="print")
    expect(tab.locator("svg.qr")).to_be_visible()
    expect(tab.locator("header nav")).to_be_hidden()
    assert len(tab.pdf(format="A4")) > 1000
