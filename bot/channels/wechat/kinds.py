"""Makes a ``Message`` of what WeChat sent, whatever kind it is; None when there is nothing to say to it."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from typing import Literal

from bot.catalogue import Knowledge
from bot.channels.wechat.fields import Fields, UnreadableError
from bot.model import Message

Said = tuple[Literal["text", "open", "place"], str]

CHANNEL = "wechat"
NEEDED = ("ToUserName", "FromUserName", "CreateTime", "MsgType")
NOT_TEXT = frozenset({"image", "video", "shortvideo", "link", "file"})
SCENE = "qrscene_"
"""What stands before a QR code's scene when its scanner has only now begun to follow."""

NUMBER = re.compile(r"[0-9]{1,20}")
SECONDS = re.compile(r"[0-9]{1,10}")

WELCOME: Said = ("open", "welcome")
MENU: Said = ("open", "menu")


def check_fields(fields: Fields) -> None:
    """Raise UnreadableError when a field is missing or impossible that WeChat always sends."""
    for name in NEEDED:
        if not fields[name]:
            raise UnreadableError(f"no {name}")
    if is_event(fields) and not fields["Event"]:
        raise UnreadableError("no Event")
    if fields["MsgId"] and not NUMBER.fullmatch(fields["MsgId"]):
        raise UnreadableError("MsgId is no number")


def is_event(fields: Fields) -> bool:
    """Say whether it is something that happened, not something that was said."""
    return fields["MsgType"].lower() == "event"


def is_farewell(fields: Fields) -> bool:
    """Say whether the person unfollowed the account: nothing of them may be kept."""
    return is_event(fields) and fields["Event"].lower() == "unsubscribe"


def read_message(fields: Fields, knowledge: Knowledge, now: datetime) -> Message | None:
    """Return the message, None for kinds and events that need no answer; ``now`` stands in for an absurd CreateTime."""
    said = _happened(fields, knowledge) if is_event(fields) else _said(fields)
    if said is None:
        return None
    kind, text = said
    return Message(CHANNEL, fields["FromUserName"], message_id(fields), text, sent_at(fields["CreateTime"], now), kind)


def message_id(fields: Fields) -> str:
    """Return what a redelivery has in common with the first delivery, and nothing else has: 64 hex digits.

    Sender and MsgId (MsgId alone is not unique across people); for events, which have none, sender, CreateTime, Event
    and EventKey. A digest, because the store keeps it: it never names the sender and is never too long.
    """
    own = ("MsgId",) if fields["MsgId"] and not is_event(fields) else ("CreateTime", "Event", "EventKey", "Content")
    parts = [fields["FromUserName"], fields["MsgType"], *(fields[name] for name in own)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def sent_at(create_time: str, now: datetime) -> datetime:
    """Return the message's own time, UTC; ``now`` when it is no count of seconds (milliseconds, negative, words)."""
    return datetime.fromtimestamp(int(create_time), UTC) if SECONDS.fullmatch(create_time) else now


def _said(fields: Fields) -> Said | None:
    match fields["MsgType"].lower():
        case "text":
            return ("text", fields["Content"]) if fields["Content"] else ("open", "empty")
        case "voice":
            # Recognition is being withdrawn: it arrives empty, or not at all.
            return ("text", fields["Recognition"]) if fields["Recognition"] else ("open", "voice")
        case "location":
            return "place", fields["Label"]
        case kind if kind in NOT_TEXT:
            return "open", "not-text"
    return None


def _happened(fields: Fields, knowledge: Knowledge) -> Said | None:
    key = fields["EventKey"]
    match fields["Event"].lower():
        case "subscribe":
            return _opened(knowledge, key.removeprefix(SCENE), WELCOME) if key.startswith(SCENE) else WELCOME
        case "scan" | "click":
            return _opened(knowledge, key, MENU)
    return None


def _opened(knowledge: Knowledge, key: str, otherwise: Said) -> Said:
    """Return what a menu key or a QR scene opens: menus and printed codes outlive the entries they were made for."""
    known = (knowledge.entries, knowledge.services, knowledge.guides, knowledge.smalltalk, knowledge.moved)
    return ("open", key) if any(key in ids for ids in known) else otherwise
