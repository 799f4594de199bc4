"""The WeChat callback as the platform sees it: what comes in, in all three modes, and what must come back."""

from __future__ import annotations

import base64
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest
from flask.testing import FlaskClient
from wechat_desk import Clerk, serve, settings
from wechat_platform import (
    ACCOUNT,
    MODES,
    RIDER,
    SUCCESS,
    TIME,
    TOKEN,
    Mode,
    Parcel,
    Platform,
    Told,
    event,
    message,
    pad,
    sha1,
)

from bot.catalogue import Knowledge
from bot.channels.wechat.envelope import Envelope
from bot.channels.wechat.kinds import message_id, read_message, sent_at
from bot.config import Config
from bot.storage.store import Store

BAD = 400
ENTRY, SERVICE = "unpaid-wages-how", "unpaid-wages"
MOVED = "a-former-id"


@pytest.fixture
def desk(knowledge: Knowledge, tmp_path: Path) -> Iterator[Clerk]:
    store = Store(f"sqlite:///{tmp_path / 'bot.db'}", b"secret")
    yield Clerk(replace(knowledge, moved={MOVED: ENTRY}), store)
    store.close()


@pytest.fixture(params=MODES)
def platform(request: pytest.FixtureRequest) -> Platform:
    mode: Mode = request.param
    return Platform(mode)


@pytest.fixture
def client(platform: Platform, desk: Clerk, config: Config) -> FlaskClient:
    return serve(desk, settings(config, platform.mode))


# --- What a message is, in every mode ------------------------------------------------------------

NESTED_SCAN = "<ScanCodeInfo><ScanType><![CDATA[qrcode]]></ScanType><ScanResult><![CDATA[1]]></ScanResult></ScanCodeInfo>"
NESTED_PICTURES = "<SendPicsInfo><Count>2</Count><PicList><item><P>1</P></item><item><P>2</P></item></PicList></SendPicsInfo>"
NESTED_PLACE = "<SendLocationInfo><Location_X>23</Location_X><Label><![CDATA[罗定]]></Label></SendLocationInfo>"


def with_more(xml: str, more: str) -> str:
    """Return a message with further elements at its end."""
    return xml.removesuffix("</xml>") + more + "</xml>"


def without_cdata(xml: str) -> str:
    return xml.replace("<![CDATA[", "").replace("]]>", "")


HEARD = {
    "text": (message(Content="工资不发怎么办"), "text|工资不发怎么办"),
    "text without CDATA": (without_cdata(message(Content="工资不发")), "text|工资不发"),
    "text from an article": (message(Content="你好", MsgDataId="x", Idx=1), "text|你好"),
    "text from a tapped choice": (message(Content="要什么材料", bizmsgmenuid=2), "text|要什么材料"),
    "text with a face": (message(Content="[流泪]/::)工伤😀"), "text|[流泪]/::)工伤😀"),
    "text with newlines": (message(Content="一\n二"), "text|一\n二"),
    "text with an escaped sign": (
        message(Content=None).replace("</xml>", "<Content>a &lt; b</Content></xml>"),
        "text|a < b",
    ),
    "text with a number reference": (with_more(message(), "<Content>&#24037;&#x4F24;</Content>"), "text|工伤"),
    "text that is markup": (message(Content="<b>粗</b>&amp;"), "text|<b>粗</b>&amp;"),
    "text that talks of a doctype": (message(Content="<!DOCTYPE html> 是什么"), "text|<!DOCTYPE html> 是什么"),
    "text in two sections": (message(Content="a]]]]><![CDATA[>b"), "text|a]]>b"),
    "text with raw control characters": (message(Content="工\x1d伤\x01\x08\x0b\x0c\x1f怎么赔"), "text|工伤怎么赔"),
    "text with noncharacters": (message(Content="工\ufffe伤\uffff"), "text|工伤"),
    "text that is blank": (message(Content=" \n　"), "open|empty"),
    "text that is empty": (message(Content=""), "open|empty"),
    "text without Content": (message(), "open|empty"),
    "text of one digit": (message(Content="1"), "text|1"),
    "text of 60 kB": (message(Content="工" * 20_000), None),
    "kind in capitals": (message("TEXT", Content="你好"), "text|你好"),
    "MsgId 0": (message(Content="你好", MsgId=0), "text|你好"),
    "MsgId of 64 bits": (message(Content="你好", MsgId=2**64 - 1), "text|你好"),
    "no MsgId": (message(Content="你好", MsgId=None), "text|你好"),
    "a byte-order mark": ("\ufeff" + message(Content="你好"), "text|你好"),
    "an XML declaration": ('<?xml version="1.0" encoding="UTF-8"?>\n' + message(Content="你好"), "text|你好"),
    "a declaration of another encoding": (
        '<?xml version="1.0" encoding="GBK"?>' + message(Content="你好"),
        "text|你好",
    ),
    "a comment in front": ("<!-- <xml> --> " + message(Content="你好"), "text|你好"),
    "a comment in the text": (with_more(message(), "<Content>工<!-- x -->伤</Content>"), "text|工伤"),
    "newlines between elements": (message(Content="你好").replace("><", ">\n  <"), "text|你好"),
    "an attribute on xml": (message(Content="你好").replace("<xml>", '<xml version="2">'), "text|你好"),
    "unknown elements": (with_more(message(Content="你好"), "<New>1</New><New><A/></New>"), "text|你好"),
    "sender with odd signs": (message(Content="你好", FromUserName="o_-A&<b>"), None),
    "sender of 500 characters": (message(Content="你好", FromUserName="o" * 500), None),
    "voice with recognition": (
        message("voice", MediaId="m", Format="amr", Recognition="工伤怎么赔。"),
        "text|工伤怎么赔。",
    ),
    "voice with empty recognition": (message("voice", MediaId="m", Recognition=""), "open|voice"),
    "voice without recognition": (message("voice", MediaId="m", MediaId16K="n"), "open|voice"),
    "image": (message("image", PicUrl="http://x", MediaId="m"), "open|not-text"),
    "video": (message("video", MediaId="m", ThumbMediaId="t"), "open|not-text"),
    "shortvideo": (message("shortvideo", MediaId="m"), "open|not-text"),
    "link": (message("link", Title="t", Description="d", Url="http://x"), "open|not-text"),
    "file": (message("file", Title="t.pdf"), "open|not-text"),
    "location": (
        message("location", Location_X="22.7", Location_Y="111.5", Scale=16, Label="罗定市罗城街道"),
        "place|罗定市罗城街道",
    ),
    "location without label": (message("location", Location_X="22.7", Label=""), "place|"),
    "location that is words": (
        message("location", Location_X="north", Location_Y="", Scale="big", Label="罗定"),
        "place|罗定",
    ),
    "subscribe": (event("subscribe"), "open|welcome"),
    "subscribe without key": (event("subscribe", None), "open|welcome"),
    "subscribe after paying": (event("subscribe", "last_trade_no_4001"), "open|welcome"),
    "subscribe by a code": (event("subscribe", f"qrscene_{ENTRY}", Ticket="t"), f"open|{ENTRY}"),
    "subscribe by a code that is no more": (event("subscribe", f"qrscene_{MOVED}"), f"open|{MOVED}"),
    "subscribe by an unknown code": (event("subscribe", "qrscene_123"), "open|welcome"),
    "scan": (event("SCAN", SERVICE, Ticket="t"), f"open|{SERVICE}"),
    "scan of an unknown code": (event("SCAN", "123"), "open|menu"),
    "click": (event("CLICK", ENTRY), f"open|{ENTRY}"),
    "click in small letters": (event("click", ENTRY), f"open|{ENTRY}"),
    "click on a stale menu": (event("CLICK", "gone-for-good"), "open|menu"),
    "click without a key": (event("CLICK", None), "open|menu"),
    "CreateTime in milliseconds": (message(Content="你好", CreateTime=TIME * 1000), "text|你好"),
    "CreateTime far away": (message(Content="你好", CreateTime="9" * 5000), "text|你好"),
    "CreateTime below zero": (message(Content="你好", CreateTime=-1), "text|你好"),
    "CreateTime in words": (message(Content="你好", CreateTime="now"), "text|你好"),
    "CreateTime of other digits": (message(Content="你好", CreateTime="１２"), "text|你好"),
}


@pytest.mark.parametrize("name", HEARD)
def test_a_message_reaches_the_desk_as_what_it_is(name: str, platform: Platform, client: FlaskClient, desk: Clerk) -> None:
    xml, content = HEARD[name]
    told = platform.ask(client, xml)
    assert (told.kind, told.sender) == ("text", ACCOUNT)
    assert len(desk.heard) == 1
    assert desk.heard[0].channel == "wechat"
    assert told.to == desk.heard[0].user
    if content is not None:
        assert (told.content, told.to) == (content, RIDER)


NOTHING_TO_SAY = {
    "automatic position": event("LOCATION", None, Latitude="23.1", Longitude="113.3", Precision="119.4"),
    "automatic position in words": event("LOCATION", None, Latitude="north"),
    "view": event("VIEW", "https://bot.example/", MenuId=1),
    "view of a mini program": event("view_miniprogram", "pages/index"),
    "template sent": event("TEMPLATESENDJOBFINISH", None, MsgID=200163836, Status="success"),
    "mass message sent": event("MASSSENDJOBFINISH", None, MsgID=1, ArticleUrlResult="x"),
    "scan and push": with_more(event("scancode_push", "6"), NESTED_SCAN),
    "scan and wait": with_more(event("scancode_waitmsg", "6"), NESTED_SCAN),
    "pictures": with_more(event("pic_sysphoto", "6"), NESTED_PICTURES),
    "pictures or album": with_more(event("pic_photo_or_album", "6"), NESTED_PICTURES),
    "pictures of WeChat": with_more(event("pic_weixin", "6"), NESTED_PICTURES),
    "chosen place": with_more(event("location_select", "6"), NESTED_PLACE),
    "unknown event": event("user_authorization_revoke", "x"),
    "unsubscribe": event("unsubscribe"),
    "unsubscribe without key": event("unsubscribe", None),
    "unknown kind": message("hologram", Content="你好"),
    "device text": message("device_text", DeviceType="d", Content="!!not base64!!"),
    "device event": message("device_event", Event="bind"),
}


@pytest.mark.parametrize("name", NOTHING_TO_SAY)
def test_what_needs_no_answer_gets_success_in_the_clear(
    name: str, platform: Platform, client: FlaskClient, desk: Clerk
) -> None:
    assert platform.ask(client, NOTHING_TO_SAY[name]) == SUCCESS
    assert desk.heard == []


BOMB = '<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>' + message(Content="&b;")
TEXT = message(Content="你好")


def doubled(xml: str, name: str) -> str:
    return with_more(xml, f"<{name}>again</{name}>")


UNREADABLE: dict[str, str | bytes] = {
    "nothing": "",
    "blanks": " \n",
    "a word": "hello",
    "JSON": '{"ToUserName": "gh_1", "MsgType": "text", "Content": "你好"}',
    "a form": "a=1&b=2",
    "HTML": "<html><body>你好</body></html>",
    "cut short": message(Content="你好")[:-20],
    "cut in CDATA": message(Content="你好").split("]]>")[0],
    "two roots": TEXT + TEXT,
    "text after the root": TEXT + "x",
    "a space before the declaration": ' <?xml version="1.0"?>' + TEXT,
    "another root": TEXT.replace("xml>", "msg>"),
    "a longer root": TEXT.replace("xml>", "xmlx>"),
    "an empty root": "<xml/>",
    "a root without elements": "<xml></xml>",
    "a root with text": "<xml>hi</xml>",
    "NUL": message(Content="a\0b"),
    "half of a surrogate pair": with_more(message(), "<Content>&#xD800;</Content>"),
    "a control reference": with_more(message(), "<Content>&#1;</Content>"),
    "an undeclared entity": with_more(message(), "<Content>&nbsp;</Content>"),
    "an unknown namespace attribute, unclosed": TEXT.replace("<xml>", "<xml a=>"),
    "a bare doctype": "<!DOCTYPE xml>" + TEXT,
    "a doctype after a declaration": '<?xml version="1.0"?>\n<!DOCTYPE xml>' + TEXT,
    "a doctype after a comment": "<!-- <xml> --><!DOCTYPE xml>" + TEXT,
    "a doctype cut by a control character": "<!DOC\x01TYPE xml>" + TEXT,
    "a bomb": BOMB,
    "an external entity": '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    + with_more(message(), "<Content>&x;</Content>"),
    "a parameter entity": '<!DOCTYPE xml [<!ENTITY % p SYSTEM "http://x.example/"> %p;]>' + TEXT,
    "GBK": TEXT.encode("gbk"),
    "UTF-16": TEXT.encode("utf-16"),
    "UTF-16 without mark": TEXT.encode("utf-16-le"),
    "garbage": bytes(range(128, 256)),
    "half a character": TEXT.encode().replace("好".encode(), "好".encode()[:2]),
    "a surrogate in UTF-8": TEXT.encode().replace("好".encode(), b"\xed\xa0\x80"),
    "deep nesting": "<xml>" + "<a>" * 18_000 + "</a>" * 18_000 + "</xml>",
    "no ToUserName": message(Content="你好", ToUserName=None),
    "no FromUserName": message(Content="你好", FromUserName=None),
    "an empty FromUserName": message(Content="你好", FromUserName=""),
    "no CreateTime": message(Content="你好", CreateTime=None),
    "no MsgType": message(Content="你好", MsgType=None),
    "an empty MsgType": message("", Content="你好"),
    "an attribute on MsgType": TEXT.replace("<MsgType>", '<MsgType a="1">'),
    "a nested MsgType": with_more(message(Content="你好", MsgType=None), "<MsgType><a>text</a></MsgType>"),
    "no Event": message("event"),
    "an empty Event": event(""),
    "a doubled Event": doubled(event("CLICK", "x"), "Event"),
    "a doubled EventKey": doubled(event("subscribe", "qrscene_1"), "EventKey"),
    "a nested EventKey": with_more(event("CLICK", None), "<EventKey><a/></EventKey>"),
    "a doubled Content": doubled(TEXT, "Content"),
    "a Content doubled and empty": with_more(message(), "<Content/><Content/>"),
    "a nested Content": with_more(message(), "<Content>a<b>c</b></Content>"),
    "a doubled FromUserName": doubled(TEXT, "FromUserName"),
    "a nested FromUserName": with_more(message(Content="x", FromUserName=None), "<FromUserName><a>o</a></FromUserName>"),
    "a doubled ToUserName": doubled(TEXT, "ToUserName"),
    "a nested ToUserName": with_more(message(Content="x", ToUserName=None), "<ToUserName><a>o</a></ToUserName>"),
    "a doubled CreateTime": doubled(TEXT, "CreateTime"),
    "a doubled MsgType": doubled(TEXT, "MsgType"),
    "a doubled MsgId": doubled(TEXT, "MsgId"),
    "a nested MsgId": with_more(message(Content="x", MsgId=None), "<MsgId><a>1</a></MsgId>"),
    "a doubled Recognition": doubled(message("voice", Recognition="工伤"), "Recognition"),
    "a nested Label": with_more(message("location"), "<Label><a>罗定</a></Label>"),
    "MsgId in words": message(Content="你好", MsgId="abc"),
    "MsgId below zero": message(Content="你好", MsgId=-5),
    "MsgId of 5,000 digits": message(Content="你好", MsgId="9" * 5000),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read_is_refused_at_once(name: str, platform: Platform, client: FlaskClient, desk: Clerk) -> None:
    started = monotonic()
    response = platform.deliver(client, UNREADABLE[name])
    assert response.status_code == BAD
    assert monotonic() - started < 1
    assert desk.heard == []
    assert platform.ask(client, TEXT).content == "text|你好"


# --- Signatures and envelopes ------------------------------------------------------------


def test_the_address_is_accepted_with_tencents_own_example(client: FlaskClient) -> None:
    query = {
        "signature": "f464b24fc39322e44b38aa78f5edd27bd1441696",
        "timestamp": "1714036504",
        "nonce": "1514711492",
        "echostr": "4375120948345356249",
    }
    response = client.get("/wechat", query_string=query)
    assert (response.status_code, response.get_data(as_text=True)) == (200, "4375120948345356249")


@pytest.mark.parametrize("echostr", ["", "0", "a b+c/=", "<script>1</script>", "你好", "%00%FF", "x" * 3000])
def test_echostr_goes_back_as_it_came_and_never_as_a_page(echostr: str, client: FlaskClient) -> None:
    response = client.get("/wechat", query_string=Platform().plain_query() | {"echostr": echostr})
    assert response.get_data(as_text=True) == echostr
    assert response.mimetype == "text/plain"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


GOOD = Platform().plain_query()
WRONG_QUERIES: dict[str, dict[str, str]] = {
    "nothing": {},
    "no signature": GOOD | {"signature": ""},
    "another signature": GOOD | {"signature": "0" * 40},
    "a short signature": GOOD | {"signature": GOOD["signature"][:39]},
    "a longer signature": GOOD | {"signature": GOOD["signature"] + "0"},
    "capitals": GOOD | {"signature": GOOD["signature"].upper()},
    "not ASCII": GOOD | {"signature": "签" * 40},
    "another timestamp": GOOD | {"timestamp": "1714036505"},
    "another nonce": GOOD | {"nonce": "1"},
    "no timestamp": {name: value for name, value in GOOD.items() if name != "timestamp"},
    "no nonce": {name: value for name, value in GOOD.items() if name != "nonce"},
    "nothing but the token signed": {"signature": sha1(TOKEN), "timestamp": "", "nonce": ""},
    "an empty token": {"signature": sha1("1", "2"), "timestamp": "1", "nonce": "2"},
    "another token": Platform(token="BBBBB").plain_query(),  # noqa: S106
    "token in the query": GOOD | {"signature": TOKEN},
}


@pytest.mark.parametrize("name", WRONG_QUERIES)
def test_nobody_else_is_answered(name: str, platform: Platform, client: FlaskClient, desk: Clerk) -> None:
    query = WRONG_QUERIES[name]
    assert client.get("/wechat", query_string=query | {"echostr": "1"}).status_code == 403
    assert platform.send(client, Parcel(query, TEXT.encode())).status_code == 403
    assert desk.heard == []


def swapped(query: dict[str, str], **changes: str | None) -> dict[str, str]:
    """Return a query with some values changed, None for left out."""
    return {name: value for name, value in (query | changes).items() if value is not None}


SAFE = Platform("safe")


def sealed(encrypted: str, **changes: str | None) -> Parcel:
    """Return a rightly signed envelope around whatever Encrypt there is."""
    body = f"<xml><ToUserName>gh_1</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return Parcel(swapped(SAFE.sealed_query(encrypted), **changes), body.encode())


def reassembled(change: Callable[[bytes], bytes], block: bool = True) -> str:
    """Return a ciphertext whose plain text, padding and all, was changed before it was encrypted."""
    inside = TEXT.encode()
    whole = b"0123456789abcdef" + len(inside).to_bytes(4, "big") + inside + SAFE.app_id.encode()
    changed = change(whole)
    return SAFE.encrypt_raw(pad(changed) if block else changed)


CIPHER = SAFE.encrypt(TEXT.encode())
RAW = base64.b64decode(CIPHER)
ENVELOPES: dict[str, tuple[Parcel, int]] = {
    "good": (sealed(CIPHER), 200),
    "no msg_signature": (sealed(CIPHER, msg_signature=None), 403),
    "empty msg_signature": (sealed(CIPHER, msg_signature=""), 403),
    "signature in its place": (sealed(CIPHER, msg_signature=GOOD["signature"]), 403),
    "msg_signature in capitals": (
        sealed(CIPHER, msg_signature=SAFE.sealed_query(CIPHER)["msg_signature"].upper()),
        403,
    ),
    "msg_signature not ASCII": (sealed(CIPHER, msg_signature="签名"), 403),
    "msg_signature of another message": (
        Parcel(SAFE.sealed_query(SAFE.encrypt(b"<xml/>")), sealed(CIPHER).body),
        403,
    ),
    "another timestamp": (sealed(CIPHER, timestamp="1"), 403),
    "no nonce": (sealed(CIPHER, nonce=None), 403),
    "signature wrong, msg_signature right": (sealed(CIPHER, signature="0" * 40), 200),
    "no signature, msg_signature right": (sealed(CIPHER, signature=None), 200),
    "encrypt_type left out, msg_signature there": (sealed(CIPHER, encrypt_type=None), 200),
    "encrypt_type raw, no msg_signature": (sealed(CIPHER, encrypt_type="raw", msg_signature=None), 403),
    "encrypt_type unknown, no msg_signature": (sealed(CIPHER, encrypt_type="rot13", msg_signature=None), 403),
    "another token": (Parcel(Platform(token="BBBBB").sealed_query(CIPHER), sealed(CIPHER).body), 403),  # noqa: S106
    "another appid": (sealed(SAFE.encrypt(TEXT.encode(), "wx0000000000000000")), 403),
    "a longer appid": (sealed(SAFE.encrypt(TEXT.encode(), SAFE.app_id + "0")), 403),
    "a length too small": (sealed(reassembled(lambda w: w[:16] + b"\0\0\0\x05" + w[20:])), 403),
    "a length too large": (sealed(reassembled(lambda w: w[:16] + b"\x7f\xff\xff\xff" + w[20:])), 403),
    "cut at a block's edge": (sealed(base64.b64encode(RAW[:-32]).decode()), 400),
    "another key": (sealed(Platform(aes_key="B" * 43).encrypt(TEXT.encode())), 400),
    "not base64": (sealed("这不是base64！"), 400),
    "base64 of nothing": (sealed("!!!!"), 400),
    "a padding sign missing": (sealed(CIPHER.rstrip("=")[:-1]), 400),
    "no whole block": (sealed(base64.b64encode(RAW[:-1]).decode()), 400),
    "one block": (sealed(base64.b64encode(RAW[:16]).decode()), 400),
    "a padding of nothing": (sealed(reassembled(lambda w: w[:31] + b"\0", block=False)), 400),
    "a padding too large": (sealed(reassembled(lambda w: w[:31] + b"\xff", block=False)), 400),
    "not UTF-8 inside": (sealed(SAFE.encrypt(TEXT.encode("gbk"))), 400),
    "nothing inside": (sealed(SAFE.encrypt(b"")), 400),
    "no Encrypt": (Parcel(SAFE.sealed_query(CIPHER), b"<xml><ToUserName>gh_1</ToUserName></xml>"), 400),
    "an empty Encrypt": (sealed(""), 400),
    "a doubled Encrypt": (
        Parcel(SAFE.sealed_query(CIPHER), doubled(sealed(CIPHER).body.decode(), "Encrypt").encode()),
        400,
    ),
    "a nested Encrypt": (Parcel(SAFE.sealed_query(CIPHER), b"<xml><Encrypt><a>x</a></Encrypt></xml>"), 400),
    "an empty body": (Parcel(SAFE.sealed_query(CIPHER), b""), 400),
    "JSON": (Parcel(SAFE.sealed_query(CIPHER), b'{"Encrypt": "x"}'), 400),
    "a doctype outside": (Parcel(SAFE.sealed_query(CIPHER), b"<!DOCTYPE xml>" + sealed(CIPHER).body), 400),
    "a plain message with aes claimed": (Parcel(SAFE.sealed_query(CIPHER), TEXT.encode()), 400),
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelopes(name: str, desk: Clerk, config: Config) -> None:
    parcel, status = ENVELOPES[name]
    client = serve(desk, settings(config, "safe"))
    response = SAFE.send(client, parcel)
    allowed = {status} if name != "cut at a block's edge" else {400, 403}  # where the cut falls, a padding may stand
    assert response.status_code in allowed
    assert len(desk.heard) == (1 if status == 200 else 0)
    assert b"<xml>" not in response.get_data() or SAFE.read(response.get_data()).content == "text|你好"


def test_only_the_encrypted_part_of_a_compatible_message_counts(desk: Clerk, config: Config) -> None:
    """The plain fields beside Encrypt are signed by nothing."""
    platform = Platform("compatible")
    parcel = platform.parcel(TEXT)
    assert "看得见的一份" in parcel.body.decode()
    response = platform.send(serve(desk, settings(config, "compatible")), parcel)
    assert platform.read(response.get_data()).content == "text|你好"


@pytest.mark.parametrize(("allowed", "status"), [(False, 403), (True, 200)])
def test_plain_messages_need_permission_when_there_is_a_key(allowed: bool, status: int, desk: Clerk, config: Config) -> None:
    client = serve(desk, settings(config, "safe", wechat_allow_plain=allowed))
    plain = Platform("plain")
    assert plain.deliver(client, TEXT).status_code == status
    assert plain.deliver(client, with_more(TEXT, "<Encrypt>x</Encrypt>")).status_code == status
    assert SAFE.ask(client, TEXT).content == "text|你好"


def test_permission_for_plain_messages_does_not_weaken_encrypted_ones(desk: Clerk, config: Config) -> None:
    client = serve(desk, settings(config, "safe", wechat_allow_plain=True))
    assert SAFE.send(client, sealed(CIPHER, msg_signature=None)).status_code == 403


def test_without_a_key_a_compatible_message_is_read_in_plain_and_a_safe_one_refused(desk: Clerk, config: Config) -> None:
    client = serve(desk, settings(config, "plain"))
    told = Platform("plain").read(Platform("compatible").deliver(client, TEXT).get_data())
    assert told.content == "text|看得见的一份"
    assert SAFE.deliver(client, TEXT).status_code == 400


def test_an_empty_token_opens_nothing(config: Config) -> None:
    with pytest.raises(ValueError, match="WECHAT_TOKEN"):
        Envelope(config)


# --- HTTP ------------------------------------------------------------


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_405(method: str, client: FlaskClient) -> None:
    response = client.open("/wechat", method=method, query_string=GOOD)
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) >= {"GET", "POST"}


@pytest.mark.parametrize("path", ["/wechat/", "/wechat/x", "/WeChat", "/wechat.xml"])
def test_other_addresses_are_404(path: str, client: FlaskClient) -> None:
    assert client.post(path, query_string=GOOD, data=TEXT).status_code == 404


SIZES = [(200_000, 200), (256 * 1024, 200), (256 * 1024 + 1, 413), (1_000_000, 413), (10_000_000, 413)]


@pytest.mark.parametrize(("size", "status"), SIZES)
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_above_256_kb_are_413(size: int, status: int, chunked: bool, desk: Clerk, config: Config) -> None:
    body = message(Content="a" * (size - len(message(Content="")))).encode()
    assert len(body) == size
    client = serve(desk, settings(config, "plain"))
    # The way a WSGI server hands over a chunked body: no length, an input that ends by itself.
    environ = {"wsgi.input_terminated": True, "CONTENT_LENGTH": ""} if chunked else {}
    response = client.post("/wechat", query_string=GOOD, data=body, environ_overrides=environ)
    assert response.status_code == status


TYPES = [
    "",
    "text/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json",
    "x",
]


@pytest.mark.parametrize("kind", TYPES)
def test_the_body_is_read_whatever_its_type_is_called(kind: str, platform: Platform, client: FlaskClient) -> None:
    parcel = platform.parcel(TEXT)
    response = client.post("/wechat", query_string=dict(parcel.query), data=parcel.body, headers={"Content-Type": kind})
    assert platform.read(response.get_data()).content == "text|你好"


# --- Redeliveries and departures ------------------------------------------------------------

AGAIN = {
    "text": TEXT,
    "voice": message("voice", Recognition="工伤"),
    "location": message("location", Label="罗定"),
    "image": message("image", PicUrl="x"),
    "text without MsgId": message(Content="你好", MsgId=None),
    "subscribe": event("subscribe"),
    "click": event("CLICK", ENTRY),
}


@pytest.mark.parametrize("name", AGAIN)
def test_a_redelivery_gets_the_same_reply_and_counts_once(
    name: str, platform: Platform, client: FlaskClient, desk: Clerk
) -> None:
    first, *others = [platform.ask(client, AGAIN[name]) for _ in range(3)]
    assert others == [first, first]
    assert len(desk.heard) == 1


@pytest.mark.parametrize("name", ["text", "click"])
def test_redeliveries_at_once_get_the_same_reply_and_count_once(
    name: str, platform: Platform, desk: Clerk, config: Config
) -> None:
    # Every time that it is thought about it would be another reply: only the one that was recorded may be told.
    desk.script = lambda message: replace(Clerk.script(message), body=uuid.uuid4().hex)
    application = serve(desk, settings(config, platform.mode)).application
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: platform.ask(application.test_client(), AGAIN[name]), range(24)))
    assert len({reply.content for reply in told}) == 1
    assert len(desk.heard) == 1


OTHERS = {
    "another MsgId": (TEXT, message(Content="你好", MsgId=1)),
    "another sender": (TEXT, message(Content="你好", FromUserName="oOther")),
    "ids that look alike when joined": (
        message(Content="a", FromUserName="o1", MsgId=23),
        message(Content="a", FromUserName="o12", MsgId=3),
    ),
    "long names": (
        message(Content="a", FromUserName="o" * 300 + "1"),
        message(Content="a", FromUserName="o" * 300 + "2"),
    ),
    "another second": (event("CLICK", ENTRY), event("CLICK", ENTRY, CreateTime=TIME + 1)),
    "another key in the same second": (event("CLICK", ENTRY), event("CLICK", SERVICE)),
    "another event in the same second": (event("subscribe", ""), event("SCAN", "")),
    "another person's event": (event("subscribe"), event("subscribe", FromUserName="oOther")),
    "no MsgId, another text": (message(Content="a", MsgId=None), message(Content="b", MsgId=None)),
    "an event that borrows a MsgId": (event("CLICK", ENTRY, MsgId=1), event("CLICK", SERVICE, MsgId=1)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_different_messages_are_not_taken_for_redeliveries(name: str, desk: Clerk, config: Config) -> None:
    client = serve(desk, settings(config, "safe"))
    for xml in OTHERS[name]:
        SAFE.ask(client, xml)
    assert len(desk.heard) == 2


def rows(path: Path) -> dict[str, int]:
    """Return how many rows each table of a database has."""
    with sqlite3.connect(path) as connection:
        tables = ("turns", "conversations", "ratings")
        counts = {table: connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}  # noqa: S608
    connection.close()
    return counts


def test_who_leaves_is_forgotten_and_nobody_else(platform: Platform, client: FlaskClient, tmp_path: Path) -> None:
    platform.ask(client, TEXT)
    platform.ask(client, message(Content="你好", FromUserName="oOther"))
    assert rows(tmp_path / "bot.db") == {"turns": 2, "conversations": 2, "ratings": 0}
    assert platform.ask(client, event("unsubscribe")) == SUCCESS
    assert rows(tmp_path / "bot.db") == {"turns": 1, "conversations": 1, "ratings": 0}


def test_no_name_of_a_sender_is_stored(platform: Platform, client: FlaskClient, desk: Clerk, tmp_path: Path) -> None:
    platform.ask(client, TEXT)
    platform.ask(client, event("subscribe"))
    desk.store.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("bot.db*"))
    assert b"turns" in kept
    assert RIDER.encode() not in kept


# --- When something fails, and what is written about it ---


def test_a_failure_of_ours_is_answered_with_the_hotlines(platform: Platform, client: FlaskClient, desk: Clerk) -> None:
    def fail(_message: object) -> object:
        raise RuntimeError("你好")

    desk.script = fail  # type: ignore[assignment]
    told = platform.ask(client, TEXT)
    assert "12333" in told.content
    assert "12345" in told.content
    assert (told.to, told.sender) == (RIDER, ACCOUNT)


def test_no_secret_and_nothing_said_is_logged(
    platform: Platform, client: FlaskClient, desk: Clerk, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(message: object) -> object:
        raise RuntimeError(f"{message} {TOKEN}")

    platform.ask(client, message(Content="秘密的话"))
    desk.script = fail  # type: ignore[assignment]
    platform.ask(client, message(Content="另一句秘密的话", MsgId=2))
    platform.deliver(client, doubled(message(Content="秘密的话"), "Content"))
    platform.send(client, Parcel(GOOD | {"signature": "0" * 40, "msg_signature": "1" * 40}, TEXT.encode()))
    written = "".join(capsys.readouterr())
    assert "wechat_failed" in written
    assert "wechat_refused" in written
    for secret in ("秘密", TOKEN, SAFE.aes_key, SAFE.app_id, RIDER, GOOD["nonce"]):
        assert secret not in written


def test_the_answer_of_a_refusal_gives_nothing_away(client: FlaskClient) -> None:
    said = client.post("/wechat", query_string=GOOD | {"signature": "0" * 40}, data=TEXT).get_data(as_text=True)
    assert GOOD["signature"] not in said
    assert TOKEN not in said


# --- Small rules ------------------------------------------------------------

NOW = datetime(2026, 11, 23, tzinfo=UTC)
TIMES = [
    ("1348831860", datetime(2012, 9, 28, 11, 31, tzinfo=UTC)),
    ("0", datetime(1970, 1, 1, tzinfo=UTC)),
    ("9999999999", datetime(2286, 11, 20, 17, 46, 39, tzinfo=UTC)),
    ("1348831860000", NOW),
    ("-1", NOW),
    ("1e9", NOW),
    ("", NOW),
    ("٣", NOW),
]


@pytest.mark.parametrize(("given", "expected"), TIMES)
def test_a_message_has_its_own_time(given: str, expected: datetime) -> None:
    assert sent_at(given, NOW) == expected


def test_a_message_is_what_its_fields_say(knowledge: Knowledge) -> None:
    names = ("ToUserName", "MsgId", "Content", "Recognition", "Label", "Event", "EventKey", "Encrypt")
    fields = dict.fromkeys(names, "") | {
        "FromUserName": "o1",
        "MsgType": "location",
        "CreateTime": "60",
        "Label": "罗定",
    }
    found = read_message(fields, knowledge, NOW)
    assert found is not None
    assert (found.channel, found.user, found.kind, found.text) == ("wechat", "o1", "place", "罗定")
    assert found.sent_at == datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
    assert found.id == message_id(fields)


def test_a_reply_is_addressed_back(platform: Platform, client: FlaskClient) -> None:
    assert platform.ask(client, TEXT) == Told("text", "text|你好", RIDER, ACCOUNT)
