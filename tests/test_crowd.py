"""A thousand conversations at once, over the web and over WeChat: each keeps its own thread, whichever process answers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import drop_schema, postgres_schema
from machines import ACCOUNT, Machine, await_ready, running, start
from wechat_platform import message

from bot.config import Config

PEOPLE = 1000
AT_ONCE = 8
TOPICS = ("被拖欠工资怎么办", "押金不退怎么办", "失业登记怎么办", "送单受伤了怎么办", "怎么申请劳动仲裁")
FOLLOW = ("要什么材料", "去哪里办")


@dataclass
class Rider:
    """Somebody who asks about one topic and goes on about it; ``conversation`` is the web's token."""

    number: int
    topic: int
    conversation: str | None = None

    def say(self, machine: Machine, turn: int) -> str:
        """Return what one machine replies to this person's next words."""
        text = (TOPICS[self.topic], *FOLLOW)[turn]
        if self.number % 2:
            xml = message(Content=text, FromUserName=f"oCrowd{self.number}", MsgId=self.number * 10 + turn)
            return machine.deliver(xml).content
        reply = machine.ask(text, self.conversation, f"crowd-{self.number}-{turn}")
        self.conversation = reply["conversation"]
        return str(reply["text"])


@pytest.fixture(params=["two workers on SQLite", "two machines on PostgreSQL"])
def machines(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Sequence[Machine], str]]:
    """The ports that people's messages come in at, and the database behind them."""
    if "SQLite" in request.param:
        with running(tmp_path / "data", WORKERS="2", **ACCOUNT) as machine:
            yield (machine,), f"sqlite:///{tmp_path / 'data' / 'bot.db'}"
        return
    url = postgres_schema()
    if url is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    with ExitStack() as stack:
        stack.callback(drop_schema, url)
        both = [start(tmp_path / name, at=0, WORKERS="1", DATABASE_URL=url, **ACCOUNT) for name in ("one", "two")]
        for machine in both:
            stack.callback(machine.kill)
            await_ready(machine)
        yield both, Config(_env_file=None, database_url=url).database


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_thousand_conversations_keep_apart(machines: tuple[Sequence[Machine], str]) -> None:
    """Each round in another order, eight at once, every person at another machine than before: 0 mix-ups of 3,000."""
    doors, url = machines
    alone = _alone(doors[0])
    assert all(len({said[turn] for said in alone.values()}) >= len(TOPICS) for turn in range(3)), "the topics can be told apart"
    chance = random.Random(9)  # noqa: S311 - an order, not a secret
    riders = [Rider(number, chance.randrange(len(TOPICS))) for number in range(PEOPLE)]
    mixed = list[tuple[int, int]]()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for turn in range(3):
            order = chance.sample(riders, PEOPLE)
            said = pool.map(lambda rider, turn=turn: rider.say(doors[(rider.number // 2 + turn) % len(doors)], turn), order)
            told = zip(order, said, strict=True)
            mixed += [(rider.number, turn) for rider, text in told if text != alone[rider.topic, rider.number % 2][turn]]
    assert mixed == []
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        turns = connection.execute(sa.text("select count(*) from turns group by channel, person")).scalars().all()
    engine.dispose()
    assert turns == [3] * (PEOPLE + len(alone))


def _alone(machine: Machine) -> dict[tuple[int, int], list[str]]:
    """Return what is said, by topic and channel (0 web, 1 WeChat), when nobody else is there."""
    riders = [Rider(PEOPLE + 2 * topic + channel, topic) for topic in range(len(TOPICS)) for channel in (0, 1)]
    return {(rider.topic, rider.number % 2): [rider.say(machine, turn) for turn in range(3)] for rider in riders}
