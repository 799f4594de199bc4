"""What the staff's desk keeps and reads in the store: attempts to log in, and the turns of a period for the report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from bot.curation.staffing import Logged
from bot.storage.privacy import pseudonym
from bot.storage.store import Store
from bot.storage.tables import METADATA, RATINGS, TURNS

MOST_FAILURES = 5
"""So many wrong passwords from one address, and it is locked out."""

MOST_FAILURES_OF_ALL = 50
"""So many from everywhere together: somebody guesses from many addresses."""

LOCKED_FOR = timedelta(minutes=15)
"""How long, after the last of them, a lock-out lasts."""

LOGIN_LOCK = 0x59756E67
"""PostgreSQL's advisory lock number for counting attempts one at a time."""

BATCH = 5000

ATTEMPTS = sa.Table(
    "login_attempts",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("client", sa.String(32)),
    sa.Column("at", sa.DateTime(timezone=True)),
)


class StaffStore:
    """The desk's view of a store; safe to share between threads."""

    def __init__(self, store: Store, secret: bytes) -> None:
        """Take the store and the secret that addresses are hashed with."""
        self._engine = store.engine
        self._secret = secret

    def may_try(self, address: str, at: datetime) -> bool:
        """Count one attempt to log in; False when there were too many, whatever the password.

        It is counted before the password is looked at: guesses sent at the same instant cannot slip by each other.
        """
        client = pseudonym(self._secret, "staff", address)
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOGIN_LOCK)))
            connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.at < at - LOCKED_FOR))
            count = sa.select(sa.func.count()).select_from(ATTEMPTS)
            everyone = connection.execute(count).scalar_one()
            mine = connection.execute(count.where(ATTEMPTS.c.client == client)).scalar_one()
            if mine >= MOST_FAILURES or everyone >= MOST_FAILURES_OF_ALL:
                return False
            connection.execute(ATTEMPTS.insert().values(client=client, at=at))
            return True

    def logged_in(self, address: str) -> None:
        """Forget an address's attempts: its last one was right."""
        client = pseudonym(self._secret, "staff", address)
        with self._engine.begin() as connection:
            connection.execute(ATTEMPTS.delete().where(ATTEMPTS.c.client == client))

    def turns(self, since: datetime, until: datetime, missed: bool = False) -> Iterator[Logged]:
        """Yield the turns of a period, each person's in order of time; what people in danger wrote is not read.

        ``missed`` leaves out those that were answered and not disliked.
        """
        wanted = _turns(since, until)
        if missed:
            wanted = wanted.where((TURNS.c.kind == "none") | RATINGS.c.useful.is_(False))
        with self._engine.connect() as connection:
            rows = connection.execution_options(yield_per=BATCH).execute(wanted)
            for batch in rows.partitions():
                yield from map(_logged, batch)

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many turns a period has."""
        with self._engine.connect() as connection:
            where = (TURNS.c.at >= since) & (TURNS.c.at < until)
            return connection.execute(sa.select(sa.func.count()).select_from(TURNS).where(where)).scalar_one()

    def questions(self, since: datetime, most: int) -> list[str]:
        """Return what was asked since then, the most frequent first; nothing from people in danger."""
        where = (TURNS.c.at >= since) & TURNS.c.kind.in_(("answer", "choices", "none"))
        asked = sa.select(TURNS.c.question).where(where).group_by(TURNS.c.question)
        ordered = asked.order_by(sa.func.count().desc(), TURNS.c.question).limit(most)
        with self._engine.connect() as connection:
            return [row.question for row in connection.execute(ordered)]


def _turns(since: datetime, until: datetime) -> sa.Select[Any]:
    danger = TURNS.c.kind == "emergency"
    told = TURNS.c.kind.in_(("none", "choices"))
    return (
        sa.select(
            TURNS.c.channel,
            TURNS.c.person,
            TURNS.c.at,
            TURNS.c.kind,
            TURNS.c.entry,
            RATINGS.c.useful,
            sa.case((danger, sa.literal("")), else_=TURNS.c.question).label("question"),
            sa.case((told, TURNS.c.reply), else_=sa.null()).label("reply"),
            sa.case((danger, sa.null()), else_=TURNS.c.matches).label("matches"),
        )
        .select_from(TURNS.outerjoin(RATINGS, RATINGS.c.turn == TURNS.c.id))
        .where((TURNS.c.at >= since) & (TURNS.c.at < until))
        .order_by(TURNS.c.person, TURNS.c.at)
    )


def _logged(row: Any) -> Logged:
    reply = row.reply or {}
    return Logged(
        at=row.at if row.at.tzinfo else row.at.replace(tzinfo=UTC),
        channel=row.channel,
        person=row.person,
        question=row.question,
        kind=row.kind,
        entry=row.entry,
        offered=tuple(choice["entry"] for choice in reply.get("choices", ()) if choice["entry"]),
        referred=bool(reply.get("refer")),
        nearest=row.matches[0]["entry"] if row.matches else None,
        useful=row.useful,
    )
