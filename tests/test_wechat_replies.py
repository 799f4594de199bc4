"""What goes back to the phone: well-formed whatever is in it, never above the limit, never cut where it hurts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechat_desk import Clerk, serve, settings
from wechat_platform import ACCOUNT, MODES, RIDER, SUCCESS, Mode, Platform, Told, flat, message

from bot.catalogue import Knowledge
from bot.channels.wechat.replies import cdata, cut, reply_text, text_xml
from bot.config import Config, read_config
from bot.model import Choice, Message, Reply
from bot.rendering import WECHAT_BYTES, entry_text
from bot.storage.store import Store

PAGE = "https://bot.example"
OFFICE = "责任科室：劳动保障监察综合执法监督支队、调解仲裁管理科"
LINK = re.compile(r'<a href="weixin://bizmsgmenu\?msgmenucontent=([^"&]+)&msgmenuid=(\d+)">(\d+)\. ([^<]*)</a>')
CONFIG = read_config(_env_file=None, public_url=PAGE)
NO_LINKS = CONFIG.model_copy(update={"wechat_links": False})


@pytest.fixture
def desk(knowledge: Knowledge, tmp_path: Path) -> Iterator[Clerk]:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", b"secret")
    yield Clerk(knowledge, store)
    store.close()


@pytest.fixture(params=MODES)
def platform(request: pytest.FixtureRequest) -> Platform:
    mode: Mode = request.param
    return Platform(mode)


def saying(reply: Reply) -> Callable[[Message], Reply]:
    return lambda _message: reply


def choices(*texts: str) -> tuple[Choice, ...]:
    return tuple(Choice(text) for text in texts)


# --- Well-formed, whatever is in it ------------------------------------------------------------

ODD = {
    "end of section": ("a]]>b", "a]]>b"),
    "an injected element": ("]]></Content><MsgType>x</MsgType>", "]]></Content><MsgType>x</MsgType>"),
    "sections one after another": ("]]>]]>]]]]>", "]]>]]>]]]]>"),
    "brackets at the end": ("a]]", "a]]"),
    "control characters": ("a\x00\x01\x08\x0b\x0c\x1d\x1fb", "ab"),
    "carriage return": ("a\r\nb", "a\nb"),
    "a lone surrogate": ("a\ud800b\udfff", "ab"),
    "noncharacters": ("a\ufffeb\uffff", "ab"),
    "markup": ("<b>&amp;</b>", "<b>&amp;</b>"),
    "newlines": ("一\n\n二", "一\n\n二"),
    "faces": ("😀👨‍👩‍👧", "😀👨‍👩‍👧"),
    "percent and braces": ("{encrypt}%s{0}", "{encrypt}%s{0}"),
}


@pytest.mark.parametrize("name", ODD)
def test_any_body_arrives(name: str, platform: Platform, desk: Clerk, config: Config) -> None:
    body, expected = ODD[name]
    desk.script = saying(Reply("answer", body))
    client = serve(desk, settings(config, platform.mode))
    assert platform.ask(client, message(Content="x")) == Told("text", expected, RIDER, ACCOUNT)


NAMES = ["o]]>x", "o]]></ToUserName><Evil>1</Evil>", "o<b>&amp;", "o 中文", "o'\""]


@pytest.mark.parametrize("name", NAMES)
def test_any_sender_is_answered_and_adds_nothing(name: str, platform: Platform, desk: Clerk, config: Config) -> None:
    client = serve(desk, settings(config, platform.mode))
    split = name.replace("]]>", "]]]]><![CDATA[>")
    assert platform.ask(client, message(Content="x", FromUserName=split)).to == name
    account = platform.ask(client, message(Content="y", MsgId=2, ToUserName=split))
    assert account.sender == name


def test_the_querys_nonce_is_not_written_into_the_reply(desk: Clerk, config: Config) -> None:
    platform = Platform("safe", nonce="]]></Nonce><Evil>1</Evil>")
    assert platform.ask(serve(desk, settings(config, "safe")), message(Content="x")).content == "text|x"


@given(st.text(st.characters(blacklist_categories=())), st.text(st.characters(blacklist_categories=())))
def test_all_text_makes_well_formed_xml(name: str, text: str) -> None:
    fields = {"FromUserName": name, "ToUserName": "gh"}
    root = flat(text_xml(fields, text, datetime(2026, 1, 1, tzinfo=UTC)).encode())
    assert root["FromUserName"] == "gh"
    assert root["MsgType"] == "text"


def test_cdata_of_plain_text_is_plain() -> None:
    assert cdata("你好") == "<![CDATA[你好]]>"


# --- Nothing to say, somebody else to say it ---------------------------------------------------


@pytest.mark.parametrize("body", ["", "  \n", "\x01\ud800"])
def test_nothing_to_say_is_success_in_the_clear(body: str, platform: Platform, desk: Clerk, config: Config) -> None:
    desk.script = saying(Reply("none", body))
    assert platform.ask(serve(desk, settings(config, platform.mode)), message(Content="x")) == SUCCESS


@pytest.mark.parametrize(("switched_on", "kind"), [(True, "transfer_customer_service"), (False, "text")])
def test_a_person_is_called_when_that_is_switched_on(
    switched_on: bool, kind: str, platform: Platform, desk: Clerk, config: Config
) -> None:
    desk.script = saying(Reply("smalltalk", "打12333", handover=True))
    client = serve(desk, settings(config, platform.mode, wechat_handover=switched_on))
    told = platform.ask(client, message(Content="人工"))
    assert told == Told(kind, "" if switched_on else "打12333", RIDER, ACCOUNT)
    assert platform.ask(client, message(Content="人工")) == told


def test_without_a_call_for_a_person_the_switch_changes_nothing(desk: Clerk, config: Config) -> None:
    client = serve(desk, settings(config, "plain", wechat_handover=True))
    assert Platform("plain").ask(client, message(Content="x")).kind == "text"


# --- Choices -----------------------------------------------------------------------------------

TEXTS = ("工资被拖欠", "100% & 合同？", 'a"b<c>#d+e', "你好 世界", "1. 试岗")


def test_choices_are_numbered_links_whose_tap_sends_their_text() -> None:
    body, *lines = reply_text(Reply("choices", "你想问哪个？", choices=choices(*TEXTS)), CONFIG).split("\n")
    assert body == "你想问哪个？"
    for number, (line, text) in enumerate(zip(lines, TEXTS, strict=True), 1):
        link = LINK.fullmatch(line)
        assert link is not None
        href = line.split('"')[1]
        assert parse_qs(urlsplit(href).query) == {"msgmenucontent": [text], "msgmenuid": [str(number)]}
        assert link[2] == link[3] == str(number)
        assert link[4] == text.replace("<", "＜").replace(">", "＞")


def test_the_setting_turns_the_links_off() -> None:
    reply = Reply("choices", "哪个？", choices=choices("甲", "乙"))
    assert reply_text(reply, NO_LINKS) == "哪个？\n1. 甲\n2. 乙" == reply.text


def test_links_give_way_before_the_answer_does() -> None:
    reply = Reply("answer", "字" * 620, choices=choices("要什么材料", "去哪里办", "要多久"))
    assert reply_text(reply, CONFIG) == reply.text


# --- Too long ----------------------------------------------------------------------------------


def long_body(lines: int = 80) -> str:
    return "\n".join(["先看这一句。", *(f"{n}. 这一步要做的事情，写得很长很长" for n in range(lines)), OFFICE, "依据：139号文"])


def test_a_long_answer_keeps_its_start_its_office_and_says_where_the_rest_is() -> None:
    reply = Reply("answer", long_body(), entry="unpaid-wages-how", choices=choices("要什么材料", "去哪里办"))
    lines = reply_text(reply, CONFIG).split("\n")
    assert lines[0] == "先看这一句。"
    assert lines[-6:] == [
        "……",
        OFFICE,
        "1. 要什么材料",
        "2. 去哪里办",
        "全文：https://bot.example/a/unpaid-wages-how",
        "回复“详细”看全文",
    ]
    assert all(line in long_body().split("\n") for line in lines[:-6])
    assert WECHAT_BYTES - 60 < len("\n".join(lines).encode()) <= WECHAT_BYTES


@pytest.mark.parametrize(("public_url", "entry"), [("", "unpaid-wages-how"), (PAGE, None)])
def test_without_a_page_only_the_word_is_offered(public_url: str, entry: str | None) -> None:
    config = CONFIG.model_copy(update={"public_url": public_url})
    lines = reply_text(Reply("answer", long_body(), entry=entry), config).split("\n")
    assert lines[-2:] == [OFFICE, "回复“详细”看全文"]


@pytest.mark.parametrize("extra", [-2, -1, 0, 1, 2, 3])
def test_the_limit_is_2047_bytes_and_not_one_less(extra: int) -> None:
    body = "字" * 600 + "a" * (WECHAT_BYTES - 1800 + extra)
    shown = reply_text(Reply("answer", body), CONFIG)
    assert (shown == body) == (extra <= 0)
    assert len(shown.encode()) <= WECHAT_BYTES


HARD = {
    "one line": "字" * 5000,
    "one line of four bytes a sign": "😀" * 2000,
    "a long office line": "甲\n责任科室：" + "科" * 5000,
    "nothing but office lines": "\n".join([OFFICE] * 100),
    "empty lines": "\n" * 5000 + "x" * 5000,
    "signs that combine": "e\u0301" * 3000,
}


@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("count", [0, 3, 60])
def test_whatever_is_too_long_fits_and_still_says_where_the_rest_is(name: str, count: int) -> None:
    reply = Reply("answer", HARD[name], entry="x", choices=choices(*(f"第{n}个选择，有一些字" for n in range(count))))
    shown = reply_text(reply, CONFIG)
    assert len(shown.encode()) <= WECHAT_BYTES
    assert shown.encode().decode() == shown
    if "office" not in name:
        assert shown.endswith("全文：https://bot.example/a/x\n回复“详细”看全文")
    if count == 3 and "office" not in name:
        assert shown.count("个选择") == 3


CUTS = [
    ("打12333问", 5, "打"),
    ("打12333问", 8, "打12333"),
    ("看https://a.example/b?c=1 好", 10, "看"),
    ('点<a href="weixin://x">1. 甲</a>吧', 20, "点"),
    ("你好", 0, ""),
    ("你好", -5, ""),
    ("你好", 5, "你"),
    ("a😀", 4, "a"),
    ("你好", 6, "你好"),
]


@pytest.mark.parametrize(("text", "size", "expected"), CUTS)
def test_a_cut_falls_between_characters_links_and_numbers(text: str, size: int, expected: str) -> None:
    assert cut(text, size) == expected


@given(
    st.lists(st.text(max_size=400), max_size=30),
    st.lists(st.text(min_size=1, max_size=60), max_size=12),
    st.booleans(),
    st.booleans(),
)
def test_no_reply_is_above_the_limit(lines: list[str], texts: list[str], links: bool, office: bool) -> None:
    body = "\n".join([*lines, *([OFFICE] if office else [])])
    config = CONFIG if links else NO_LINKS
    shown = reply_text(Reply("answer", body, entry="unpaid-wages-how", choices=choices(*texts)), config)
    assert len(shown.encode()) <= WECHAT_BYTES
    assert not office or OFFICE in shown
    assert shown.count("<a href=") >= shown.count("</a>") - body.count("</a>")


def test_every_answer_of_the_knowledge_base_is_shown_whole(knowledge: Knowledge) -> None:
    """With the choices that may follow it: as links where there is room, numbered otherwise."""
    today = datetime.now(UTC).date()
    for entry in knowledge.entries.values():
        reply = Reply("answer", entry_text(entry, today), entry=entry.id)
        shown = reply_text(replace(reply, choices=choices("要什么材料", "去哪里办")), CONFIG)
        assert len(shown.encode()) <= WECHAT_BYTES, entry.id
        assert f"责任科室：{'、'.join(entry.offices)}" in shown, entry.id
