"""A whole site for the tests: the real bot on a SQLite file behind the real pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from bot.answer import Bot, Library
from bot.channels import web
from bot.config import Config, read_secret
from bot.storage.store import Store

SiteMaker = Callable[..., Flask]
PLENTY = "100000 per minute"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def site_config(folder: Path, **settings: Any) -> Config:
    """Return settings that no environment file changes."""
    given: dict[str, Any] = {"_env_file": None, "data_dir": folder, "rate_limit": PLENTY, **settings}
    return Config(**given)


def open_site(library: Library, folder: Path, settings: dict[str, Any]) -> tuple[Flask, Store]:
    """Return a site with the real bot, and its store, to be closed."""
    config = site_config(**{"folder": folder, **settings})
    store = Store(config.database, read_secret(config))
    app = Flask("bot")
    web.register(app, Bot(library, store), config)
    return app, store


def post(client: FlaskClient, path: str, **fields: str) -> Any:
    """Send a form as the page would, with the token that the page has."""
    token = TOKEN.search(client.get("/").text)
    assert token is not None
    return client.post(path, data={"csrf_token": token[1], **fields})


def rows(folder: Path, table: str) -> list[Any]:
    """Return what a table of the site in that folder has."""
    engine = sa.create_engine(f"sqlite:///{folder / 'bot.db'}")
    with engine.connect() as connection:
        found = list(connection.execute(sa.text(f"select * from {table}")))  # noqa: S608 (our own names)
    engine.dispose()
    return found
