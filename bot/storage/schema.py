"""Brings a database's schema up to date, with alembic where it is not."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

MIGRATIONS = Path(__file__).parent / "migrations"

MIGRATION_LOCK = 0x59756E66
"""PostgreSQL's advisory lock number for bringing the schema up to date (any fixed number will do)."""


def upgrade(connection: sa.Connection) -> None:
    """Bring the schema up to date in a transaction that somebody else ends; several workers starting at once take turns."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("select pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK})
    if _version(connection) == newest():
        return
    from alembic import command  # noqa: PLC0415 - 9 MB and 0.1 s that hardly any start needs
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def newest() -> str:
    """Return the version that the newest migration leads to: the number that its file's name begins with."""
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _version(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(sa.text("select version_num from alembic_version")).scalar()
    return version
