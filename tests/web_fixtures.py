"""Fixtures of the web tests: sites to talk to, a running one, a browser with phones in it; loaded as a plugin."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, sync_playwright
from web_site import SiteMaker, open_site
from werkzeug.serving import make_server

from bot.answer import Library
from bot.catalogue import Knowledge
from bot.understanding.matching import Finder

TOOLS = ("axe-core@4.14.1", "html-validate@9.7.1")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def web_library(knowledge: Knowledge, tmp_path_factory: pytest.TempPathFactory) -> Library:
    return Library(knowledge, Finder(knowledge, tmp_path_factory.mktemp("finder")))


@pytest.fixture
def make_site(web_library: Library, tmp_path: Path) -> Iterator[SiteMaker]:
    """Make sites; settings and ``knowledge`` may be given."""
    stores = []

    def make(knowledge: Knowledge | None = None, **settings: Any) -> Flask:
        library = Library(knowledge, web_library.finder) if knowledge else web_library
        app, store = open_site(library, tmp_path, settings)
        stores.append(store)
        return app

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def visitor(make_site: SiteMaker) -> FlaskClient:
    return make_site().test_client()


@pytest.fixture(scope="session")
def live(web_library: Library, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running site."""
    app, store = open_site(web_library, tmp_path_factory.mktemp("live"), {"icp_number": "粤ICP备00000000号"})
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    store.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_tab(chromium: Browser, live: str) -> Iterator[Callable[..., Page]]:
    """Open phones; any complaint in a console and any request to another host fails the test."""
    contexts = []
    complaints: list[str] = []

    def note_request(url: str) -> None:
        if not url.startswith(live):
            complaints.append(f"request to {url}")

    def note_console(kind: str, text: str) -> None:
        if kind == "error" and "net::ERR_INTERNET_DISCONNECTED" not in text and "status of 4" not in text:
            complaints.append(text)

    def open_one(**settings: Any) -> Page:
        context = chromium.new_context(**{"viewport": {"width": 390, "height": 844}, "base_url": live, **settings})
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: note_request(request.url))
        page.on("console", lambda message: note_console(message.type, message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def tab(open_tab: Callable[..., Page]) -> Page:
    return open_tab()


@pytest.fixture(scope="session")
def node_modules(request: pytest.FixtureRequest) -> Path:
    """The folder with the two judges, fetched once with npm and kept in pytest's cache."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("no npm on this machine")
    cache = request.config.cache
    assert cache is not None
    home = cache.mkdir("node") / "-".join(TOOLS)
    if not home.exists():
        fresh = Path(tempfile.mkdtemp(dir=home.parent))
        done = subprocess.run([npm, "install", "--no-save", "--prefix", fresh, *TOOLS], capture_output=True, check=False)
        if done.returncode:
            # At home a missing network is no fault of the pages; on the machine that guards them it must show.
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"npm: {done.stderr.decode()[-300:]}")
        try:
            fresh.rename(home)
        except OSError:
            shutil.rmtree(fresh)  # another worker was first
    return home / "node_modules"
