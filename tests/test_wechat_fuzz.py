"""Ten thousand bodies, ciphertexts and queries (in CI): no 5xx, and nothing but a refusal for what is not signed."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator

import pytest
import wechat_desk
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wechat_platform import MODES, Mode, Parcel, Platform, event, message, pad
from werkzeug.test import TestResponse

from bot.catalogue import Knowledge
from bot.config import read_config
from bot.storage.store import Store

EXAMPLES = 2_500 if "CI" in os.environ else 125
"""For each of the four kinds below: 10,000 in CI, 500 at a desk."""

fuzz = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PLAIN, SAFE = Platform("plain"), Platform("safe")
GOOD = [
    message(Content="工资不发怎么办"),
    message("voice", Recognition=""),
    message("location", Label="罗定"),
    event("CLICK", "unpaid-wages-how"),
    event("subscribe", "qrscene_unpaid-wages"),
    event("unsubscribe"),
]


@pytest.fixture(scope="module")
def clients(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Mode, FlaskClient]]:
    folder = tmp_path_factory.mktemp("fuzz")
    store = Store(f"sqlite:///{folder / 'bot.db'}", b"secret")
    desk = wechat_desk.Clerk(knowledge, store)
    config = read_config(_env_file=None, data_dir=folder)
    yield {mode: wechat_desk.serve(desk, wechat_desk.settings(config, mode)) for mode in MODES}
    store.close()


def check(response: TestResponse, platform: Platform) -> None:
    """A reply is ``success``, or signed and well-formed (``read`` asserts that); everything else is a refusal."""
    assert response.status_code in (200, 400, 403)
    if response.status_code == 200:
        platform.read(response.get_data())
    else:
        assert b"<xml" not in response.get_data()


FIELDS = ["ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId", "Content", "Event", "EventKey", "Label", "x"]
NAMES = st.sampled_from([*FIELDS, "Encrypt"])
VALUES = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["text", "event", "voice", "location", "CLICK", "subscribe", "1", "", "]]>", "&#xD800;", "<a/>", "-1"]),
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """Return something like a message: fields absent, doubled, nested, with any text, in CDATA or not."""
    parts = [message(draw(VALUES), Content="x")[5:-6]] if draw(st.booleans()) else []
    for name, value, bare in draw(st.lists(st.tuples(NAMES, VALUES, st.booleans()), max_size=12)):
        parts.append(f"<{name}>{value if bare else f'<![CDATA[{value}]]>'}</{name}>")
    return f"<xml>{''.join(parts)}</xml>".encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a good message with a piece cut out and another put in."""
    whole = draw(st.sampled_from(GOOD)).encode()
    start = draw(st.integers(0, len(whole)))
    return whole[:start] + draw(st.binary(max_size=8)) + whole[start + draw(st.integers(0, 12)) :]


BODIES = st.one_of(st.binary(max_size=300), documents(), damaged())


@fuzz
@given(BODIES)
def test_any_body_well_signed(clients: dict[Mode, FlaskClient], body: bytes) -> None:
    check(PLAIN.deliver(clients["plain"], body), PLAIN)
    check(SAFE.deliver(clients["safe"], body), SAFE)


@st.composite
def ciphertexts(draw: st.DrawFn) -> str:
    """Return an Encrypt: any text, any blocks, a good one damaged, or any plain text rightly encrypted."""
    inside = draw(BODIES)
    good = base64.b64decode(SAFE.encrypt(inside))
    flip = draw(st.integers(0, len(good) - 1))
    encrypted: str = draw(
        st.one_of(
            st.text(st.characters(min_codepoint=32, blacklist_characters="<>&", blacklist_categories=["Cs"]), max_size=80),
            st.binary(max_size=160).map(lambda raw: base64.b64encode(raw).decode()),
            st.binary(min_size=16, max_size=160).map(lambda raw: SAFE.encrypt_raw(raw[: len(raw) // 16 * 16])),
            st.binary(max_size=100).map(lambda raw: SAFE.encrypt_raw(pad(raw))),
            st.just(base64.b64encode(good[:flip]).decode()),
            st.just(base64.b64encode(good[:flip] + bytes([good[flip] ^ 1]) + good[flip + 1 :]).decode()),
        )
    )
    return encrypted


@fuzz
@given(ciphertexts())
def test_any_ciphertext_well_signed(clients: dict[Mode, FlaskClient], encrypted: str) -> None:
    body = f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()
    for mode in ("safe", "compatible"):
        check(SAFE.send(clients[mode], Parcel(SAFE.sealed_query(encrypted), body)), SAFE)


QUERIES = st.dictionaries(
    st.sampled_from(["signature", "msg_signature", "timestamp", "nonce", "encrypt_type", "openid", "echostr"]),
    st.one_of(st.text(max_size=50), st.sampled_from(["aes", "raw", "0" * 40, SAFE.timestamp, SAFE.nonce, ""])),
)


@fuzz
@given(QUERIES, st.sampled_from(GOOD), st.sampled_from(MODES))
def test_nothing_unsigned_is_answered(clients: dict[Mode, FlaskClient], query: dict[str, str], xml: str, mode: Mode) -> None:
    for body in (xml.encode(), SAFE.parcel(xml).body):
        response = clients[mode].post("/wechat", query_string=query, data=body)
        assert response.status_code in (400, 403)
        assert b"<xml" not in response.get_data()
    echo = clients[mode].get("/wechat", query_string=query)
    assert echo.status_code == 403


@fuzz
@given(st.sampled_from(sorted(SAFE.sealed_query("x"))), st.one_of(st.none(), st.text(max_size=45)), st.sampled_from(GOOD))
def test_a_signature_that_is_touched_is_no_signature(
    clients: dict[Mode, FlaskClient], name: str, value: str | None, xml: str
) -> None:
    parcel = SAFE.parcel(xml)
    query = dict(parcel.query)
    untouched = query.pop(name)
    query |= {name: value} if value is not None else {}
    response = SAFE.send(clients["safe"], Parcel(query, parcel.body))
    matters = name in ("msg_signature", "timestamp", "nonce") and value != untouched
    assert response.status_code == 403 if matters else response.status_code == 200
