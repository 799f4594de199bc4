"""The store, on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from conftest import NOW

from bot.model import MAX_READ, Choice, Citation, Conversation, Match, Message, Refer, Reply, Turn, Why
from bot.storage.store import Recall, Store

MESSAGE = Message("web", "somebody", "m1", "我的电话13800138000，押金不退", NOW)
REPLY = Reply(
    kind="answer",
    body="要回来",
    id="r1",
    entry="deposit-refund",
    measures=(7, 20),
    office=("劳动保障监察综合执法监督支队",),
    door="监察",
    sources=(Citation("劳动合同法", "", "2012-12-28", "第9条"),),
    choices=(Choice("一", "a", (1,), None, ("甲",), "因为"),),
    refer=Refer("医保局", "12393"),
    score=0.9,
    version="v",
)
AFTER = Conversation(("deposit-refund",), REPLY.choices, "luoding", 1, NOW)
TURN = Turn(MESSAGE, REPLY, AFTER, (Match("deposit-refund", 0.9, Why("", (), ())),))


def keep(store: Store, turn: Turn) -> None:
    assert store.record(turn, store.recall(turn.message).revision)


def rows(store: Store, table: str) -> list[sa.Row[tuple[object, ...]]]:
    with store.engine.connect() as connection:
        return list(connection.execute(sa.text(f"select * from {table}")))  # noqa: S608 - our own table names


def test_what_is_kept_comes_back_as_it_was(database: str) -> None:
    store = Store(database, b"s")
    keep(store, TURN)
    assert store.recall(replace(MESSAGE, id="m2")) == Recall(None, AFTER, 1)
    assert store.recall(MESSAGE) == Recall(REPLY, AFTER, 1)
    store.close()


def test_a_person_is_kept_only_as_an_hmac_and_numbers_are_masked(database: str) -> None:
    store = Store(database, b"s")
    keep(store, TURN)
    text = str(rows(store, "turns")) + str(rows(store, "conversations"))
    assert "somebody" not in text
    assert "13800138000" not in text
    assert "〔号码〕" in text
    store.close()


def test_one_message_is_kept_once(database: str) -> None:
    store = Store(database, b"s")
    keep(store, TURN)
    assert not store.record(replace(TURN, reply=replace(REPLY, id="r2")), 1)
    assert len(rows(store, "turns")) == 1
    assert store.recall(MESSAGE).revision == 1
    store.close()


def test_a_turn_that_was_overtaken_leaves_nothing(database: str) -> None:
    store = Store(database, b"s")
    keep(store, TURN)
    late = replace(TURN, message=replace(MESSAGE, id="m2"), reply=replace(REPLY, id="r2"))
    assert not store.record(late, 0)
    assert [row.id for row in rows(store, "turns")] == ["r1"]
    store.close()


def test_a_fault_in_the_middle_leaves_nothing(database: str) -> None:
    """The same turn id under another message: the conversation was written first, and must be gone again."""
    store = Store(database, b"s")
    keep(store, TURN)
    other = replace(TURN, message=replace(MESSAGE, user="other", id="m2"))
    with pytest.raises(sa.exc.IntegrityError):
        store.record(other, 0)
    assert len(rows(store, "conversations")) == 1
    store.close()


def test_of_messages_at_the_same_instant_none_is_lost(database: str) -> None:
    """Each of 24 messages at once adds one miss to the conversation it finds."""
    store = Store(database, b"s")
    start = threading.Barrier(8)

    def send(number: int) -> None:
        if number < 8:
            start.wait()
        message = replace(MESSAGE, id=f"n{number}")
        recorded = False
        while not recorded:
            recall = store.recall(message)
            after = replace(recall.conversation, misses=recall.conversation.misses + 1)
            recorded = store.record(Turn(message, replace(REPLY, id=f"n{number}"), after), recall.revision)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(24)))
    assert store.recall(replace(MESSAGE, id="last")).conversation.misses == 24
    store.close()


def test_several_workers_may_start_at_once(database: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: Store(database, b"s"), range(4)))
    keep(stores[0], TURN)
    assert len(rows(stores[3], "turns")) == 1
    for store in stores:
        store.close()


def test_forgetting_a_person_leaves_the_others(database: str) -> None:
    store = Store(database, b"s")
    keep(store, TURN)
    store.rate("r1", useful=False, reason="没说到", at=NOW)
    other = replace(MESSAGE, user="other", id="m9")
    keep(store, replace(TURN, message=other, reply=replace(REPLY, id="r9")))
    assert store.forget("web", "somebody") == 1
    assert [row.id for row in rows(store, "turns")] == ["r9"]
    assert len(rows(store, "conversations")) == 1
    assert rows(store, "ratings") == []
    store.close()


def test_a_rating_replaces_the_one_before(database: str) -> None:
    store = Store(database, b"s")
    keep(store, TURN)
    assert store.rate("r1", useful=False, reason="我的号13800138000", at=NOW)
    assert store.rate("r1", useful=True, reason="", at=NOW)
    assert not store.rate("none", useful=True, reason="", at=NOW)
    assert [(row.useful, row.reason) for row in rows(store, "ratings")] == [(True, "")]
    store.close()


def test_purging_keeps_what_is_younger(database: str) -> None:
    store = Store(database, b"s")
    keep(store, TURN)
    young = replace(MESSAGE, user="other", id="m2", sent_at=NOW + timedelta(days=2))
    keep(store, replace(TURN, message=young, reply=replace(REPLY, id="r2")))
    assert store.purge(NOW + timedelta(days=1)) == 1
    assert [row.id for row in rows(store, "turns")] == ["r2"]
    store.close()


def test_only_what_is_read_is_kept(database: str) -> None:
    """A quarter of a megabyte once kept the masking busy for minutes."""
    store = Store(database, b"s")
    keep(store, replace(TURN, message=replace(MESSAGE, text="a" * 250_000)))
    assert len(str(rows(store, "turns")[0].question)) == MAX_READ
    store.close()


def test_odd_characters_are_kept_without_a_fault(database: str) -> None:
    store = Store(database, b"s")
    odd = replace(MESSAGE, id="\ud800\0x", user="\ud800", text="a\0b\ud800")
    keep(store, replace(TURN, message=odd))
    assert store.recall(odd).reply == REPLY
    store.close()
