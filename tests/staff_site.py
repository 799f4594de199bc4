"""A desk over the small knowledge base: the real bot, store and files behind the real pages."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from small_knowledge import write_knowledge
from werkzeug.security import generate_password_hash

from bot.answer import Bot
from bot.channels import staff, web
from bot.config import Config, read_secret
from bot.curation.live import Live, open_last_good
from bot.curation.staff_store import StaffStore
from bot.curation.workshop import Workshop
from bot.storage.store import Store

PASSWORD = "a long enough password"  # noqa: S105 - of a desk that lives for one test
HASH = generate_password_hash(PASSWORD, "pbkdf2:sha256:1000")
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
MARK = re.compile(r'name="mark" value="([^"]+)"')


class Office:
    """A desk, its folder, its store and the application around it; another one may share folder and store."""

    def __init__(self, home: Path, dictionary: Path, **settings: Any) -> None:
        self.folder, self.data = home / "knowledge", home / "data"
        shutil.copytree(dictionary, self.data, dirs_exist_ok=True)
        if not self.folder.exists():
            write_knowledge(self.folder)
        given = {"staff_password_hash": HASH, "secret_key": "s", "rate_limit": "100000 per minute", **settings}
        self.config = Config(_env_file=None, knowledge_dir=self.folder, data_dir=self.data, **given)
        opened = open_last_good(self.folder, self.data)
        self.store = Store(self.config.database, read_secret(self.config))
        self.bot = Bot(opened.library, self.store)
        self.live = Live(self.folder, self.data, opened, self.bot.exchange)
        self.workshop = Workshop(self.folder, self.data, self.bot, self.live, StaffStore(self.store, read_secret(self.config)))
        self.app = Flask("bot")
        web.register(self.app, self.bot, self.config)
        staff.register(self.app, self.workshop, self.config)

    def visitor(self) -> FlaskClient:
        return self.app.test_client()

    def colleague(self) -> FlaskClient:
        """Somebody who is logged in."""
        client = self.app.test_client()
        assert log_in(client, PASSWORD).status_code == 303
        return client


def token(client: FlaskClient, page: str) -> str:
    found = TOKEN.search(client.get(page).text)
    assert found is not None
    return found[1]


def log_in(client: FlaskClient, password: str) -> Any:
    return client.post("/staff/login", data={"csrf_token": token(client, "/staff/login"), "password": password})


def opened_mark(client: FlaskClient, path: str) -> str:
    found = MARK.search(client.get(f"/staff/edit/{path}").text)
    assert found is not None
    return found[1]


def send(client: FlaskClient, address: str, path: str, **fields: str) -> Any:
    """Send a form of the editor with the token of its page."""
    return client.post(f"/staff/{address}/{path}", data={"csrf_token": token(client, f"/staff/edit/{path}"), **fields})


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
