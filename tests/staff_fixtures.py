"""Fixtures of the desk's tests; loaded as a plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from staff_site import Office

from bot.understanding.features import Cutter


@pytest.fixture(scope="session")
def jieba_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tokenizer's cache, made once: it takes a second."""
    folder = tmp_path_factory.mktemp("jieba")
    Cutter((), (), folder)
    return folder / "jieba.cache"


@pytest.fixture
def make_office(tmp_path: Path, jieba_cache: Path) -> Iterator[Callable[..., Office]]:
    made = []

    def make(**settings: Any) -> Office:
        made.append(Office(tmp_path, jieba_cache, **settings))
        return made[-1]

    yield make
    for office in made:
        office.store.close()


@pytest.fixture
def office(make_office: Callable[..., Office]) -> Office:
    return make_office()
