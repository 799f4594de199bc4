"""A whole site for the tests: the real bot on a SQLite file behind the real pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from bot.answer import Bot, Library
from bot.channels import web
from bot.config import Config, read_secret
from bot.store import Store

SiteMaker = Callable[..., Flask]
PLENTY = "100000 per minute"
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def open_site(library: Library, folder: Path, settings: dict[str, Any]) -> tuple[Flask, Store]:
    config = Config(_env_file=None, **{"data_dir": folder, "rate_limit": PLENTY, **settings})
    store = Store(config.database, read_secret(config))
    app = Flask("bot")
    web.register(app, Bot(library, store), config)
    return app, store


def post(client: FlaskClient, path: str, **fields: str) -> Any:
    """Send a form as the page would, with the token that the page has."""
    token = TOKEN.search(client.get("/").text)
    assert token is not None
    return client.post(path, data={"csrf_token": token[1], **fields})
