"""Proves that a callback is WeChat's, takes the message out of its envelope, and seals what goes back."""

from __future__ import annotations

import hmac
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException
from wechatpy.utils import WeChatSigner

from bot.channels.wechat.fields import Fields, UnreadableError, decode, read_fields
from bot.config import Config

Query = Mapping[str, str]


class NotWeChatError(Exception):
    """Nothing proves that this comes from WeChat and is meant for this account; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A callback out of its envelope; ``sealed`` says that it came encrypted, and so must the reply go."""

    fields: Fields
    sealed: bool


class Envelope:
    """Plain, compatible and safe mode, told apart by each callback's own query; safe to share between threads."""

    def __init__(self, config: Config) -> None:
        if not config.wechat_token:
            raise ValueError("WECHAT_TOKEN 不能空：空的 token 谁都能冒充微信")
        self._token = config.wechat_token
        key = config.wechat_aes_key
        self._crypto = WeChatCrypto(config.wechat_token, key, config.wechat_app_id) if key else None
        self._plain = config.wechat_allow_plain or self._crypto is None

    def check(self, query: Query) -> None:
        """Raise NotWeChatError unless ``signature`` fits. It covers timestamp and nonce only, never the body."""
        self._prove(query, "signature")

    def open(self, query: Query, body: bytes) -> Letter:
        """Return what WeChat sent; raises NotWeChatError or UnreadableError."""
        if self._crypto is not None and _says_sealed(query):
            text = _decrypt(self._crypto, query, self._encrypted(query, body))
            return Letter(read_fields(text), sealed=True)
        self.check(query)
        if not self._plain:
            # The body of a plain message is signed by nothing: with a key at hand, nobody needs to send one.
            raise NotWeChatError("plain message although WECHAT_AES_KEY is set")
        fields = read_fields(decode(body))
        if fields["Encrypt"] and not fields["FromUserName"]:
            raise UnreadableError("encrypted only, and WECHAT_AES_KEY is not set")
        return Letter(fields, sealed=False)

    def seal(self, xml: str) -> str:
        """Return a reply encrypted and signed. The nonce is our own: the query's would go into the XML unescaped."""
        if self._crypto is None:
            raise ValueError("no WECHAT_AES_KEY to seal with")
        sealed: str = self._crypto.encrypt_message(xml, str(secrets.randbelow(10**10)))
        return sealed

    def _encrypted(self, query: Query, body: bytes) -> str:
        """Return the encrypted part of a body, once ``msg_signature`` is seen to cover it."""
        encrypted = read_fields(decode(body))["Encrypt"]
        if not encrypted:
            raise UnreadableError("no Encrypt")
        self._prove(query, "msg_signature", encrypted)
        return encrypted

    def _prove(self, query: Query, name: str, *more: str) -> None:
        parts = [query.get("timestamp", ""), query.get("nonce", ""), *more]
        signer = WeChatSigner()
        signer.add_data(self._token, *parts)
        # Bytes: compare_digest raises on text that is not ASCII.
        given = query.get(name, "").encode("utf-8", "replace")
        if not all(parts) or not hmac.compare_digest(signer.signature.encode(), given):
            raise NotWeChatError(f"{name} does not fit")


def _decrypt(crypto: WeChatCrypto, query: Query, encrypted: str) -> str:
    """Return the text inside; wechatpy compares the signature once more, which by now cannot fail."""
    try:
        text: str = crypto.decrypt_message({"Encrypt": encrypted}, query["msg_signature"], query["timestamp"], query["nonce"])
    except InvalidAppIdException:
        raise NotWeChatError("another appid") from None
    except (ValueError, IndexError, struct.error):
        # Not base64, nothing left of it, no whole blocks, a wrong padding, not UTF-8: each raises another of these.
        raise UnreadableError("Encrypt cannot be decrypted") from None
    return text


def _says_sealed(query: Query) -> bool:
    """Either sign will do: a callback that claims one and lacks the other must fail, not pass as plain."""
    return query.get("encrypt_type") == "aes" or bool(query.get("msg_signature"))
