"""Keeps the library that answers up to date with the folder: a good edit goes live in one step, a bad one never does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import structlog

from bot.answer import Library
from bot.catalogue import Knowledge
from bot.curation.guard import guard, problems, stored_questions
from bot.curation.snapshot import Snapshot, read_snapshot, write_snapshot
from bot.curation.staffing import State, Trouble
from bot.knowledge import KnowledgeError, Problem, inspect
from bot.knowledge.folder import content_hash, inspect_texts, is_knowledge, read_texts
from bot.knowledge.problems import Report
from bot.understanding.matching import Finder

LOOK_EVERY = 0.3
"""Seconds between two looks at the folder."""

SETTLED = 0.15
"""Seconds that a file must have been left alone: some editors empty a file before they write it."""

MOST_TOLD = 20
"""So many problems stand in one line of the log."""

log = structlog.get_logger()

Stamps = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A library and the texts that it was made from; ``refused`` is why the folder's own texts are not these."""

    library: Library
    texts: dict[str, str]
    refused: tuple[Problem, ...] = ()


def open_last_good(folder: Path, data: Path) -> Opened:
    """Return the folder's knowledge base or, when it cannot go live, the last that could; kept in the data folder.

    Raises KnowledgeError with every problem when there never was a good one.
    """
    report = Report()
    texts = read_texts(folder, report)
    kept = read_snapshot(data)
    if kept is not None and kept.texts == texts and (good := _restored(kept, data)) is not None:
        return Opened(good, texts)
    knowledge, found = inspect_texts(texts, today(), report)
    refused = [problem for problem in found if not problem.notice]
    if kept is not None and content_hash(texts) == kept.refused_version:
        refused += [Problem(*problem) for problem in kept.refused]
    if knowledge is not None and not refused:
        opened = Opened(Library(knowledge, Finder(knowledge, data)), texts)
        _keep(data, Snapshot(texts, today()))
        return opened
    good = _restored(kept, data)
    if kept is None or good is None:
        raise KnowledgeError(refused)
    _tell(refused, good.knowledge.version)
    return Opened(good, kept.texts, tuple(sorted(set(refused))))


def open_last_good_knowledge(folder: Path, data: Path) -> Knowledge:
    """Return the same knowledge base without a finder, for who only looks entries up.

    Raises KnowledgeError when there never was a good one.
    """
    knowledge, found = inspect(folder, today())
    kept = read_snapshot(data) if knowledge is None else None
    knowledge = inspect_texts(kept.texts, kept.day, Report())[0] if kept is not None else knowledge
    if knowledge is None:
        raise KnowledgeError([problem for problem in found if not problem.notice])
    return knowledge


def today() -> date:
    """Return the day it is."""
    return datetime.now(UTC).date()


class Live:
    """Watches a folder on behalf of a bot; one a process."""

    def __init__(self, folder: Path, data: Path, opened: Opened, exchange: Callable[[Library], None]) -> None:
        """Take what answers now and the function that puts another library in its place."""
        self._folder = folder
        self._data = data
        self._opened = opened
        self._exchange = exchange
        self._stamps: Stamps = {}
        self._draft: tuple[Opened, dict[str, str], Drafted] | None = None
        self._looking = threading.Lock()
        self._stop = threading.Event()
        self._state = State(opened.library.knowledge.version, datetime.now(UTC), _troubles(opened.refused))

    @property
    def state(self) -> State:
        """How the knowledge base stands."""
        return self._state

    @property
    def opened(self) -> Opened:
        """What answers now."""
        return self._opened

    def draft(self, texts: dict[str, str], report: Report) -> Drafted:
        """Return what texts would make, checked and guarded against what answers now; ``report`` has what reading found.

        The last draft is remembered: what was looked at before it was published need not be made again.
        """
        last = self._draft
        if last is not None and last[0] is self._opened and last[1] == texts and not report.problems:
            return last[2]
        opened = self._opened
        drafted = draft(opened, texts, self._data, report)
        self._draft = (opened, texts, drafted)
        return drafted

    def start(self) -> None:
        """Look at the folder from now on, in a thread that ends with the process."""
        threading.Thread(target=self._watch, name="live-knowledge", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    def look(self) -> None:
        """Take over what is new in the folder, if it is good; the same call from several threads does it once."""
        with self._looking:
            stamps = _stamps(self._folder)
            if stamps == self._stamps or _unsettled(stamps):
                return
            report = Report()
            texts = read_texts(self._folder, report)
            if _stamps(self._folder) != stamps:
                return  # it changed while it was read: the next look sees it whole
            self._stamps = stamps
            self._take(texts, report)

    def _watch(self) -> None:
        stored_questions(self._opened.library.knowledge)  # remembered: the first edit need not wait for it
        while not self._stop.wait(LOOK_EVERY):
            try:
                self.look()
            except Exception as error:  # whatever a file makes fail, the last good answers stay
                log.exception("knowledge_look_failed")
                self._refuse([Problem("", 0, f"检查时出错（{type(error).__name__}），最近的改动没有上线")])

    def _take(self, texts: dict[str, str], report: Report) -> None:
        started = time.monotonic()
        if texts == self._opened.texts and not report.problems:
            self._state = replace(self._state, problems=())
            return
        drafted = self.draft(texts, report)
        if drafted.library is None:
            self._refuse(drafted.problems)
            _keep(self._data, _refusing(self._opened.texts, texts, drafted.problems))
            return
        self._exchange(drafted.library)
        self._opened = Opened(drafted.library, texts)
        version = drafted.library.knowledge.version
        self._state = State(version, datetime.now(UTC))
        _keep(self._data, Snapshot(texts, today()))
        log.info("knowledge_live", version=version, seconds=round(time.monotonic() - started, 2))

    def _refuse(self, found: list[Problem]) -> None:
        refused = [problem for problem in found if not problem.notice]
        self._state = replace(self._state, problems=_troubles(refused))
        _tell(refused, self._state.version)


@dataclass(frozen=True, slots=True)
class Drafted:
    """What texts would make of the bot: a library, or None when they cannot go live; every problem and notice."""

    library: Library | None
    problems: list[Problem]


def draft(opened: Opened, texts: dict[str, str], data: Path, report: Report) -> Drafted:
    """Return what texts would make, checked and guarded against what answers now; ``report`` has what reading found."""
    knowledge, found = inspect_texts(texts, today(), report)
    if knowledge is None:
        return Drafted(None, found)
    former = opened.library
    library = Library(knowledge, Finder(knowledge, data, former.finder))
    found += problems(guard(knowledge, library.finder, former.knowledge), knowledge, texts)
    return Drafted(None if any(not problem.notice for problem in found) else library, sorted(found))


def _restored(kept: Snapshot | None, data: Path) -> Library | None:
    """Return the library of a snapshot; None when there is none, or today's program cannot read it any more.

    What was good on its day stays good: a validity that ran out since does not stop the bot.
    """
    knowledge = inspect_texts(kept.texts, kept.day, Report())[0] if kept is not None else None
    return Library(knowledge, Finder(knowledge, data)) if knowledge is not None else None


def _refusing(good: dict[str, str], bad: dict[str, str], found: list[Problem]) -> Snapshot:
    refused = tuple((p.path, p.line, p.text) for p in found if not p.notice)
    return Snapshot(good, today(), content_hash(bad), refused)


def _keep(data: Path, snapshot: Snapshot) -> None:
    """Write the snapshot; a full disk must not keep a good edit from going live."""
    try:
        write_snapshot(data, snapshot)
    except OSError as error:
        log.error("snapshot_not_kept", error=type(error).__name__)


def _tell(refused: list[Problem], version: str) -> None:
    """Log in one line what is wrong, and which version goes on answering."""
    told = [str(problem) for problem in refused[:MOST_TOLD]]
    log.error("knowledge_refused", live=version, count=len(refused), problems=told)


def _stamps(folder: Path) -> Stamps:
    """Return size and time (ns) of every file that the bot reads."""
    found: Stamps = {}
    for path in folder.rglob("*.md"):
        name = path.relative_to(folder).as_posix()
        if is_knowledge(name):
            try:
                status = path.stat()
            except OSError:
                continue
            found[name] = (status.st_size, status.st_mtime_ns)
    return found


def _unsettled(stamps: Stamps) -> bool:
    """Return whether a file was written this very moment; times in the future (another machine's clock) do not count."""
    now = time.time()
    return any(0 <= now - changed / 1e9 < SETTLED for _, changed in stamps.values())


def _troubles(found: tuple[Problem, ...] | list[Problem]) -> tuple[Trouble, ...]:
    return tuple(Trouble(p.path, p.line, p.text, p.notice) for p in found)
