"""Fixtures of the desk's tests; loaded as a plugin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from staff_site import Office
from werkzeug.serving import make_server

from bot.understanding.features import Cutter


@pytest.fixture(scope="session")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the tokenizer keeps, made once: it takes a second."""
    folder = tmp_path_factory.mktemp("jieba")
    Cutter((), (), folder)
    return folder


@pytest.fixture
def make_office(tmp_path: Path, dictionary: Path) -> Iterator[Callable[..., Office]]:
    made = []

    def make(**settings: Any) -> Office:
        made.append(Office(tmp_path, dictionary, **settings))
        return made[-1]

    yield make
    for office in made:
        office.store.close()


@pytest.fixture
def office(make_office: Callable[..., Office]) -> Office:
    return make_office()


@pytest.fixture
def running(office: Office) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_desk(chromium: Browser, running: str) -> Iterator[Callable[..., Page]]:
    """Open the desk in browsers of their own; a complaint in a console fails the test."""
    contexts, complaints = [], []

    def open_one(**settings: object) -> Page:
        context = chromium.new_context(base_url=running, **settings)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
