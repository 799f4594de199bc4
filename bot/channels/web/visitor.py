"""Who is writing, as far as the web knows: an opaque token, and the message made from it."""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Literal

from flask import Request, Response

from bot.config import Config
from bot.model import Message

COOKIE = "conversation"
TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
QUESTION_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
SECONDS_A_DAY = 86_400


def fresh_token() -> str:
    """Return a new conversation token: 43 characters that nobody can guess."""
    return secrets.token_urlsafe(32)


def fresh_id() -> str:
    """Return an id for one question; sent along again it gets the reply it got before."""
    return secrets.token_urlsafe(12)


def token_from(offered: str | None) -> str:
    """Return the token that a client offers, or a fresh one when it has none of the right form."""
    return offered if offered and TOKEN.fullmatch(offered) else fresh_token()


def id_from(offered: str | None) -> str:
    """Return the question's id that a client offers, or a fresh one when it has none of the right form."""
    return offered if offered and QUESTION_ID.fullmatch(offered) else fresh_id()


def written(text: str) -> str:
    """Return a text as every store takes it: NUL characters and lone surrogates, which JSON can carry, are gone."""
    return text.encode("utf-8", "ignore").decode().replace("\0", "").strip()


def message(token: str, question_id: str, text: str, kind: Literal["text", "open"] = "text") -> Message:
    """Return what was asked as the bot takes it; the same token and id are the same message delivered again."""
    return Message("web", token, f"{token}:{question_id}", text, datetime.now(UTC), kind)


def remember(response: Response, request: Request, token: str, config: Config) -> None:
    """Set the conversation's cookie; it lives as long as the turns do, so that 删除 reaches all of them."""
    age = config.retention_days * SECONDS_A_DAY
    response.set_cookie(COOKIE, token, max_age=age, httponly=True, samesite="Lax", secure=request.is_secure)
