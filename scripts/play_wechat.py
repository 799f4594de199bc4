"""Plays WeChat against a running bot: signs, encrypts and sends a message, and prints the reply as a phone shows it."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import re
import secrets
import sys
import time
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import requests
import xmltodict
from _prompt import typed
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import WeChatSigner

from bot.config import Config, ConfigError, read_config

ACCOUNT = "gh_test"
SECONDS = 5
"""How long WeChat waits before it cuts the connection."""

LINK = re.compile(r'<a href="weixin://bizmsgmenu[^"]*">(.*?)</a>')


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the HTTP status, the reply's text as shown, how long it took in milliseconds."""

    status: int
    shown: str
    milliseconds: int


class Player:
    """One follower of the account at one bot; ``sealed`` says whether messages go encrypted."""

    def __init__(self, config: Config, url: str, user: str, sealed: bool) -> None:
        self._token = config.wechat_token
        key = config.wechat_aes_key
        self._crypto = WeChatCrypto(config.wechat_token, key, config.wechat_app_id) if sealed else None
        self._url = url
        self._user = user

    def verify(self) -> bool:
        """Do what WeChat does when the address is saved; True when the echo comes back."""
        echo = secrets.token_hex(8)
        reply = requests.get(self._url, params=self._query() | {"echostr": echo}, timeout=SECONDS)
        return reply.status_code == requests.codes.ok and reply.text == echo

    def send(self, fields: dict[str, str], times: int = 1) -> list[Answer]:
        """Deliver one message, several times for a redelivery, and return each answer."""
        xml = self._xml(fields)
        return [self._deliver(xml) for _ in range(times)]

    def _deliver(self, xml: str) -> Answer:
        query = self._query()
        body = xml
        if self._crypto is not None:
            body = self._crypto.encrypt_message(xml, query["nonce"], query["timestamp"])
            envelope = xmltodict.parse(body)["xml"]
            query |= {"encrypt_type": "aes", "msg_signature": envelope["MsgSignature"]}
        started = time.monotonic()
        reply = requests.post(self._url, params=query, data=body.encode(), timeout=SECONDS)
        taken = round((time.monotonic() - started) * 1000)
        return Answer(reply.status_code, self._shown(reply), taken)

    def _shown(self, reply: requests.Response) -> str:
        if reply.status_code != requests.codes.ok:
            return f"〔拒收：{reply.text[:200]}〕"
        if reply.text == "success":
            return "〔不回复〕"
        fields: dict[str, Any] = xmltodict.parse(reply.text)["xml"]
        if self._crypto is not None:
            given = (fields["MsgSignature"], fields["TimeStamp"], fields["Nonce"])
            fields = xmltodict.parse(self._crypto.decrypt_message(fields, *given))["xml"]
        return "〔转给人工客服〕" if fields["MsgType"] != "text" else LINK.sub(r"〔\1〕", fields["Content"])

    def _query(self) -> dict[str, str]:
        timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
        signer = WeChatSigner()
        signer.add_data(self._token, timestamp, nonce)
        return {"signature": signer.signature, "timestamp": timestamp, "nonce": nonce, "openid": self._user}

    def _xml(self, fields: dict[str, str]) -> str:
        whole = {"ToUserName": ACCOUNT, "FromUserName": self._user, "CreateTime": str(int(time.time())), **fields}
        if fields["MsgType"] != "event":
            whole["MsgId"] = str(secrets.randbelow(10**16))
        return "<xml>" + "".join(f"<{name}>{escape(value)}</{name}>" for name, value in whole.items()) + "</xml>"


def fields_of(options: argparse.Namespace, text: str) -> dict[str, str]:
    """Return the message's own fields."""
    if options.event:
        return {"MsgType": "event", "Event": options.event, "EventKey": options.key}
    if options.location is not None:
        place = {"Location_X": "22.7", "Location_Y": "111.5", "Scale": "16", "Label": options.location}
        return {"MsgType": "location", **place}
    if options.voice:
        return {"MsgType": "voice", "MediaId": "m", "Format": "amr", "Recognition": text}
    return {"MsgType": "image", "PicUrl": "x", "MediaId": "m"} if options.image else {"MsgType": "text", "Content": text}


def main() -> int:
    """Check the address, then send what was asked, or talk; return 1 when the bot cannot be reached or refuses."""
    options = _options()
    try:
        config = read_config()
    except ConfigError as error:
        return _fail(str(error))
    if not config.wechat_on:
        return _fail("没设 WECHAT_TOKEN：和机器人用同一份设置（.env 或环境变量）")
    sealed = bool(config.wechat_aes_key) and not options.plain
    url = options.url or f"http://127.0.0.1:{config.port}/wechat"
    try:
        return _play(Player(config, url, options.user, sealed), options)
    except requests.RequestException as error:
        return _fail(f"连不上 {url}（{type(error).__name__}）：机器人开着吗？")


def _play(player: Player, options: argparse.Namespace) -> int:
    if not player.verify():
        return _fail("地址验证没通过：网址、token 和机器人那边的不一样")
    if options.text or options.event or options.location is not None or options.image or options.voice:
        return _print(player.send(fields_of(options, " ".join(options.text)), options.times))
    print("地址验证通过。直接打字；按 Ctrl-D 结束。")
    for text in typed():
        _print(player.send(fields_of(options, text)))
    return 0


def _print(answers: list[Answer]) -> int:
    for answer in answers:
        print(f"{answer.shown}\n（HTTP {answer.status}，{answer.milliseconds} 毫秒）")
    return 0 if all(answer.status == requests.codes.ok for answer in answers) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="扮演微信，给正在运行的机器人发消息")
    parser.add_argument("text", nargs="*", help="要发的话；什么都不写就进入对话")
    parser.add_argument("--url", help="机器人的地址，默认 http://127.0.0.1:端口/wechat")
    parser.add_argument("--user", default="oTester", help="扮演哪个关注者")
    parser.add_argument("--plain", action="store_true", help="有 AES 密钥也发明文")
    parser.add_argument("--voice", action="store_true", help="当作语音发，文字是识别结果（不写文字就是没识别出来）")
    parser.add_argument("--image", action="store_true", help="发一张图片")
    parser.add_argument("--location", metavar="地名", help="发位置")
    parser.add_argument("--event", metavar="事件", help="发事件：subscribe、unsubscribe、CLICK、SCAN……")
    parser.add_argument("--key", default="", help="事件的 EventKey：菜单编号，或 qrscene_编号")
    parser.add_argument("--times", type=int, default=1, help="同一条消息发几次（试重复投递）")
    return parser.parse_args()


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
