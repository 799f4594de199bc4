"""Puts a ``Reply`` into what a phone shows: text with tappable choices that fits WeChat's limit, in well-formed XML."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import quote

from bot.channels.wechat.fields import Fields
from bot.config import Config
from bot.model import Choice, Reply
from bot.rendering import WECHAT_BYTES

OFFICE = "责任科室："
MORE = "回复“详细”看全文"
PAGE = "全文：{url}"
CUT = "……"

UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 has no way to write."""

WHOLE = re.compile(r"<a\b[^>]*>.*?</a>|https?://[!-~]+|(?<![0-9])1[0-9]{2,4}(?![0-9])")
"""What is of no use in part: links and hotline numbers."""


def reply_text(reply: Reply, config: Config) -> str:
    """Return the whole text, at most 2,047 bytes of UTF-8; empty when there is nothing to say.

    What does not fit gives way in this order: the choices' links (their numbers still work), the body's middle lines.
    """
    body = UNSHOWN.sub("", reply.body).strip()
    choices = tuple(reply.choices)
    plain = [_numbered(number, choice) for number, choice in enumerate(choices, 1)]
    if config.wechat_links:
        tappable = "\n".join([body, *(_link(number, choice) for number, choice in enumerate(choices, 1))]).strip()
        if _size(tappable) <= WECHAT_BYTES:
            return tappable
    whole = "\n".join([body, *plain]).strip()
    return whole if _size(whole) <= WECHAT_BYTES else _shortened(body, plain, _ending(reply, config))


def text_xml(fields: Fields, text: str, now: datetime) -> str:
    """Return a text reply to the sender of ``fields``."""
    return _xml(fields, now, "text", f"<Content>{cdata(text)}</Content>")


def handover_xml(fields: Fields, now: datetime) -> str:
    """Return the reply that gives the sender over to the account's own customer service."""
    return _xml(fields, now, "transfer_customer_service", "")


def cdata(text: str) -> str:
    """Return any text as character data: what XML cannot write is left out, ``]]>`` is split in two sections."""
    return f"<![CDATA[{UNSHOWN.sub('', text).replace(']]>', ']]]]><![CDATA[>')}]]>"


def _xml(fields: Fields, now: datetime, kind: str, inner: str) -> str:
    return (
        f"<xml><ToUserName>{cdata(fields['FromUserName'])}</ToUserName>"
        f"<FromUserName>{cdata(fields['ToUserName'])}</FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime>"
        f"<MsgType>{cdata(kind)}</MsgType>{inner}</xml>"
    )


def _numbered(number: int, choice: Choice) -> str:
    return f"{number}. {UNSHOWN.sub('', choice.text)}"


def _link(number: int, choice: Choice) -> str:
    """Return a choice whose tap sends its text: it comes back as if the person had typed it."""
    sent = quote(UNSHOWN.sub("", choice.text), safe="")
    label = _numbered(number, choice).replace("<", "＜").replace(">", "＞")
    return f'<a href="weixin://bizmsgmenu?msgmenucontent={sent}&msgmenuid={number}">{label}</a>'


def _ending(reply: Reply, config: Config) -> list[str]:
    """Return where the whole text is to be had."""
    if not (config.public_url and reply.entry):
        return [MORE]
    return [PAGE.format(url=f"{config.public_url.rstrip('/')}/a/{quote(reply.entry)}"), MORE]


def _shortened(body: str, choices: list[str], ending: list[str]) -> str:
    """Return the body's first lines, its office lines, the choices and the ending, within the limit.

    Even one line that is too long is cut; of choices that fill more than half of what is left, the last are left out.
    """
    lines = body.split("\n")
    office = [line for line in lines if line.startswith(OFFICE)]
    others = [line for line in lines if not line.startswith(OFFICE)]
    listed = _fitting(choices, (WECHAT_BYTES - _size("\n".join([CUT, *office, *ending]))) // 2)
    rest = "\n".join([CUT, *office, *listed, *ending])
    room = WECHAT_BYTES - _size(rest) - 1
    kept = _fitting(others, room) or [cut(others[0] if others else "", room)]
    return cut("\n".join([*kept, rest]).strip(), WECHAT_BYTES)


def _fitting(lines: list[str], room: int) -> list[str]:
    """Return the first lines that fit together into ``room`` bytes."""
    count = len(lines)
    while count and _size("\n".join(lines[:count])) > room:
        count -= 1
    return lines[:count]


def cut(text: str, size: int) -> str:
    """Return the longest start of a text within ``size`` bytes of UTF-8, ending inside no character or link."""
    if _size(text) <= size:
        return text
    end = len(text.encode()[: max(size, 0)].decode(errors="ignore"))
    for whole in WHOLE.finditer(text):
        if whole.start() < end < whole.end():
            return text[: whole.start()]
    return text[:end]


def _size(text: str) -> int:
    """Return how many bytes of UTF-8 a text has; it has no lone surrogates any more."""
    return len(text.encode())
