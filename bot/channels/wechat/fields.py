"""Takes an XML body apart into the fields that we read, each there once and flat."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.parsers.expat import ExpatError

import xmltodict

Fields = Mapping[str, str]

READ = (
    "ToUserName",
    "FromUserName",
    "CreateTime",
    "MsgType",
    "MsgId",
    "Content",
    "Recognition",
    "Label",
    "Event",
    "EventKey",
    "Encrypt",
)

NOT_XML = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""WeChat passes these on raw inside CDATA, where XML forbids them. NUL is not among them: that no phone can send."""

PROLOG = re.compile(r"(?:\s|<!--.*?-->|<\?.*?\?>)*", re.DOTALL)
"""All that may stand before the first element, but for a DOCTYPE."""


class UnreadableError(Exception):
    """The body is nothing that WeChat sends; the message says why, without quoting the body."""


def decode(body: bytes) -> str:
    """Return a body as text; raises UnreadableError when it is not UTF-8."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise UnreadableError("not utf-8") from None


def read_fields(text: str) -> Fields:
    """Return the fields that we read; one that is absent is empty.

    Raises UnreadableError for what is no ``<xml>`` element, has a DOCTYPE, or has such a field doubled or nested.
    Other fields may be anything: scan and picture events nest some by design.
    """
    clean = NOT_XML.sub("", text).removeprefix("\ufeff")
    prolog = PROLOG.match(clean)
    if prolog is None or not clean.startswith("<xml", prolog.end()):
        # Where the first element stands there is no DOCTYPE: none is ever parsed, and a person may still type one.
        raise UnreadableError("no xml element")
    tree = _parse(clean).get("xml")
    if not isinstance(tree, dict):
        raise UnreadableError("an empty xml element")
    return {name: _flat(name, tree.get(name)) for name in READ}


def _parse(text: str) -> dict[str, object]:
    try:
        return xmltodict.parse(text, disable_entities=True)
    except (ExpatError, ValueError):  # ExpatError is no ValueError; declared entities and lone surrogates are
        raise UnreadableError("ill-formed xml") from None


def _flat(name: str, value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise UnreadableError(f"{name} is doubled or nested")
    return value
