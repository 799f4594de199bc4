"""WeChat's side of the callback, written from Tencent's pages alone: it signs, encrypts, sends and reads replies.

Its crypto is made from ``cryptography``, not from wechatpy: two makes of one protocol check each other.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree as ET

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

Mode = Literal["plain", "compatible", "safe"]
MODES: tuple[Mode, ...] = ("plain", "compatible", "safe")

TOKEN = "AAAAA"  # noqa: S105 - the token of Tencent's own example
APP_ID = "wx1234567890abcdef"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
ACCOUNT = "gh_123456789abc"
RIDER = "oRider-0000000000000000000001"
TIME = 1_795_000_000
"""CreateTime of a message when a test does not care, seconds."""

BLOCK = 32


@dataclass(frozen=True)
class Parcel:
    """One HTTP request of the platform's: its query and its body."""

    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Told:
    """A reply as the phone gets it; ``content`` is empty for a handover, and for ``success``, whose kind that is."""

    kind: str
    content: str = ""
    to: str = ""
    sender: str = ""


SUCCESS = Told("success")


@dataclass(frozen=True)
class Platform:
    """WeChat as one account's settings make it behave."""

    mode: Mode = "safe"
    token: str = TOKEN
    app_id: str = APP_ID
    aes_key: str = AES_KEY
    timestamp: str = "1714036504"
    nonce: str = "1514711492"
    openid: str = field(default=RIDER)

    def sign(self, *parts: str) -> str:
        """Return the hex SHA-1 of the sorted parts and the token."""
        return sha1(self.token, *parts)

    def plain_query(self) -> dict[str, str]:
        """Return what a plain callback carries."""
        signature = self.sign(self.timestamp, self.nonce)
        return {"signature": signature, "timestamp": self.timestamp, "nonce": self.nonce, "openid": self.openid}

    def sealed_query(self, encrypted: str) -> dict[str, str]:
        """Return what an encrypted callback carries."""
        signature = self.sign(self.timestamp, self.nonce, encrypted)
        return self.plain_query() | {"encrypt_type": "aes", "msg_signature": signature}

    def parcel(self, xml: str | bytes) -> Parcel:
        """Return a message as this mode sends it, whether its XML is any good or not."""
        inside = xml.encode() if isinstance(xml, str) else xml
        if self.mode == "plain":
            return Parcel(self.plain_query(), inside)
        encrypted = self.encrypt(inside)
        known = b"<URL><![CDATA[]]></URL>" if self.mode == "safe" else message(Content="看得见的一份")[5:-6].encode()
        body = b"<xml>" + known + f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
        return Parcel(self.sealed_query(encrypted), body)

    def encrypt(self, inside: bytes, app_id: str | None = None) -> str:
        """Return base64 of 16 random bytes, the length, the message and the appid, padded and encrypted."""
        whole = b"0123456789abcdef" + struct.pack(">I", len(inside)) + inside + (app_id or self.app_id).encode()
        return self.encrypt_raw(pad(whole))

    def encrypt_raw(self, whole: bytes) -> str:
        """Return base64 of whole blocks, encrypted as they are."""
        encryptor = self._cipher().encryptor()
        return base64.b64encode(encryptor.update(whole) + encryptor.finalize()).decode()

    def decrypt(self, encrypted: str) -> str:
        """Return the message inside; every part of the form is asserted."""
        decryptor = self._cipher().decryptor()
        whole = decryptor.update(base64.b64decode(encrypted, validate=True)) + decryptor.finalize()
        padding = whole[-1]
        assert 1 <= padding <= BLOCK
        assert whole[-padding:] == bytes([padding]) * padding
        inner = whole[16:-padding]
        (length,) = struct.unpack(">I", inner[:4])
        assert inner[4 + length :].decode() == self.app_id
        return inner[4 : 4 + length].decode()

    def send(self, client: FlaskClient, parcel: Parcel) -> TestResponse:
        """Deliver a parcel."""
        query = dict(parcel.query)
        return client.post("/wechat", query_string=query, data=parcel.body, content_type="text/xml")

    def deliver(self, client: FlaskClient, xml: str | bytes) -> TestResponse:
        """Send a message as this mode sends it."""
        return self.send(client, self.parcel(xml))

    def ask(self, client: FlaskClient, xml: str | bytes) -> Told:
        """Send a message and return what the phone shows."""
        response = self.deliver(client, xml)
        assert response.status_code == 200, response.get_data(as_text=True)
        return self.read(response.get_data())

    def read(self, body: bytes) -> Told:
        """Return what a reply says, after the checks that WeChat makes of it."""
        if body == b"success":
            return SUCCESS
        fields = flat(body)
        if self.mode != "plain":
            assert set(fields) == {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
            assert fields["MsgSignature"] == self.sign(fields["TimeStamp"], fields["Nonce"], fields["Encrypt"])
            fields = flat(self.decrypt(fields["Encrypt"]).encode())
        assert set(fields) - {"Content"} == {"ToUserName", "FromUserName", "CreateTime", "MsgType"}
        assert fields["CreateTime"].isdigit()
        return Told(fields["MsgType"], fields.get("Content", ""), fields["ToUserName"], fields["FromUserName"])

    def _cipher(self) -> Cipher[modes.CBC]:
        key = base64.b64decode(self.aes_key + "=")
        return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def sha1(*parts: str) -> str:
    """Return the hex SHA-1 of sorted parts, joined."""
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()  # noqa: S324 - the protocol's own


def pad(whole: bytes) -> bytes:
    """Return a message padded to WeChat's 32, never by nothing."""
    count = BLOCK - len(whole) % BLOCK
    return whole + bytes([count]) * count


def flat(body: bytes) -> dict[str, str]:
    """Return the children of an ``<xml>`` element, asserting that each is there once and flat."""
    root = ET.fromstring(body)  # noqa: S314 - our own bot's reply
    assert root.tag == "xml"
    names = [child.tag for child in root]
    assert len(set(names)) == len(names), names
    assert not any(len(child) or child.attrib for child in root)
    return {child.tag: child.text or "" for child in root}


def message(kind: str = "text", **fields: str | int | None) -> str:
    """Return a message's XML; a field given as None is left out, numbers go without CDATA, as WeChat writes them."""
    given: dict[str, str | int | None] = {"ToUserName": ACCOUNT, "FromUserName": RIDER, "CreateTime": TIME}
    given["MsgType"] = kind
    if kind != "event":
        given["MsgId"] = 1234567890123456
    return "<xml>" + "".join(_element(name, value) for name, value in (given | fields).items()) + "</xml>"


def event(name: str, key: str | None = "", **fields: str | int | None) -> str:
    """Return an event's XML."""
    return message("event", **({"Event": name, "EventKey": key} | fields))


def _element(name: str, value: str | int | None) -> str:
    if value is None:
        return ""
    return f"<{name}>{value}</{name}>" if isinstance(value, int) else f"<{name}><![CDATA[{value}]]></{name}>"
