"""The tables of the database; how they came to be, version by version, stands in ``migrations/``."""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()
TURNS = sa.Table(
    "turns",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("channel", sa.String(16)),
    sa.Column("message_id", sa.String(200)),
    sa.Column("person", sa.String(32)),
    sa.Column("at", sa.DateTime(timezone=True)),
    sa.Column("question", sa.Text),
    sa.Column("kind", sa.String(16)),
    sa.Column("entry", sa.String(100)),
    sa.Column("score", sa.Float),
    sa.Column("version", sa.String(16)),
    sa.Column("reply", sa.JSON),
    sa.Column("matches", sa.JSON),
)
CONVERSATIONS = sa.Table(
    "conversations",
    METADATA,
    sa.Column("channel", sa.String(16), primary_key=True),
    sa.Column("person", sa.String(32), primary_key=True),
    sa.Column("state", sa.JSON),
    sa.Column("revision", sa.Integer),
    sa.Column("at", sa.DateTime(timezone=True)),
)
RATINGS = sa.Table(
    "ratings",
    METADATA,
    sa.Column("turn", sa.String(32), primary_key=True),
    sa.Column("useful", sa.Boolean),
    sa.Column("reason", sa.Text),
    sa.Column("at", sa.DateTime(timezone=True)),
)
