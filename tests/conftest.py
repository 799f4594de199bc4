"""What the tests share: the real knowledge base, read once, and fresh stores."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.answer import Bot, Library
from bot.app import open_library
from bot.catalogue import Knowledge
from bot.config import Config
from bot.storage.store import Store

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = "postgresql+psycopg://postgres@127.0.0.1:5432/test"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the long ones (servers killed and databases cut under load, minutes each) to those who ask for them."""
    if os.environ.get("BOT_SLOW_TESTS"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="long: set BOT_SLOW_TESTS=1"))


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    return open_library(ROOT / "knowledge", tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def knowledge(library: Library) -> Knowledge:
    return library.knowledge


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(_env_file=None, data_dir=tmp_path / "data", secret_key="test")  # noqa: S106 - a test's own


@pytest.fixture
def bot(library: Library, config: Config) -> Iterator[Bot]:
    store = Store(config.database, b"test")
    yield Bot(library, store)
    store.close()


def postgres_schema() -> str | None:
    """Return the address of a schema of our own in the test machine's PostgreSQL, None where there is none."""
    try:
        engine = sa.create_engine(POSTGRES, connect_args={"connect_timeout": 2})
        name = f"t{uuid.uuid4().hex[:12]}"
        with engine.begin() as connection:
            connection.execute(sa.text(f"create schema {name}"))
        engine.dispose()
    except sa.exc.OperationalError:
        return None
    return f"{POSTGRES}?options=-csearch_path%3D{name}"


def drop_schema(url: str) -> None:
    engine = sa.create_engine(POSTGRES)
    with engine.begin() as connection:
        connection.execute(sa.text(f"drop schema {url.rsplit('%3D', 1)[1]} cascade"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    url = postgres_schema()
    if url is None:
        pytest.skip("no PostgreSQL at 127.0.0.1:5432")
    yield url
    drop_schema(url)
