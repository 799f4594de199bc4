"""Keeps the library that answers up to date with the folder: a good edit goes live in one step, a bad one never does."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path

import structlog

from bot.answer import Library
from bot.catalogue import Knowledge
from bot.curation.guard import guard, problems, stored_questions
from bot.curation.knowledge_cache import knowledge_cache
from bot.curation.snapshot import Snapshot, read_snapshot, write_snapshot
from bot.curation.staffing import State, Trouble
from bot.files import alone
from bot.knowledge import KnowledgeError, Problem, inspect
from bot.knowledge.folder import content_hash, inspect_texts, is_knowledge, read_texts
from bot.knowledge.problems import Report
from bot.understanding.matching import Finder

LOOK_EVERY = 0.3
"""Seconds between two looks at the folder."""

SETTLED = 0.15
"""Seconds that a file must have been left alone: some editors empty a file before they write it."""

JUDGING_SECONDS = 10.0
"""So long another worker may take to judge an edit; who waited longer judges by itself."""

WARM_AFTER = 5.0
"""Seconds after its start from which a worker prepares for edits; before, people's first questions have the processor."""

MOST_TOLD = 20
"""So many problems stand in one line of the log."""

log = structlog.get_logger()

Stamps = dict[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Opened:
    """A library, the texts that it was made from, since when it answers; ``refused`` is why the folder's texts do not."""

    library: Library
    texts: dict[str, str]
    at: datetime
    refused: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Drafted:
    """What texts would make of the bot: a library, or None when they cannot go live; every problem and notice."""

    library: Library | None
    problems: list[Problem]


def open_last_good(folder: Path, data: Path) -> Opened:
    """Return the folder's knowledge base or, when it cannot go live, the last that could; kept in the data folder.

    An edit made while the bot was down is judged as one made while it runs. Where nothing is kept nothing was edited: then
    the folder is taken as it is, its meaning having been checked by ``check.py``.

    Raises KnowledgeError with every problem when there never was a good one.
    """
    report = Report()
    texts = read_texts(folder, report)
    kept = read_snapshot(data)
    opened = _restored(kept, data) if kept is not None else None
    if opened is None:
        return _first(texts, report, data)
    if opened.texts == texts and not report.problems:
        return opened
    opened = settle(opened, texts, report, data)
    if opened.refused:
        _tell(opened.refused, opened.library.knowledge.version)
    else:
        _remember(opened.library, data)
    return opened


def _first(texts: dict[str, str], report: Report, data: Path) -> Opened:
    knowledge, found = inspect_texts(texts, today(), report)
    if knowledge is None:
        raise KnowledgeError([problem for problem in found if not problem.notice])
    opened = Opened(Library(knowledge, Finder(knowledge, data)), texts, datetime.now(UTC))
    _remember(opened.library, data)
    _keep(data, Snapshot(texts, opened.at))
    return opened


def open_last_good_knowledge(folder: Path, data: Path) -> Knowledge:
    """Return the same knowledge base without a finder, for who only looks entries up.

    Raises KnowledgeError when there never was a good one.
    """
    knowledge, found = inspect(folder, today())
    kept = read_snapshot(data) if knowledge is None else None
    knowledge = inspect_texts(kept.texts, kept.at.date(), Report())[0] if kept is not None else knowledge
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
        self._state = State(opened.library.knowledge.version, opened.at, _troubles(opened.refused))

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
        known = self._drafted(texts, report)
        if known is not None:
            return known
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
        warm_from = time.monotonic() + WARM_AFTER
        while not self._stop.wait(LOOK_EVERY):
            try:
                self.look()
                if time.monotonic() > warm_from:
                    warm_from = math.inf
                    _read_ahead(self._opened)
            except Exception as error:  # whatever a file makes fail, the last good answers stay
                log.exception("knowledge_look_failed")
                failed = Problem("", 0, f"检查时出错（{type(error).__name__}），最近的改动没有上线")
                self._state = replace(self._state, problems=_troubles([failed]))

    def _take(self, texts: dict[str, str], report: Report) -> None:
        if texts == self._opened.texts and not report.problems and not self._opened.refused:
            kept = read_snapshot(self._data)
            if kept is not None and kept.texts == texts:  # as after each start: there is nothing to work out
                self._opened = replace(self._opened, at=kept.at)
                self._state = State(self._opened.library.knowledge.version, kept.at)
                return
        started = time.monotonic()
        opened = settle(self._opened, texts, report, self._data, self._drafted(texts, report))
        version, changed = opened.library.knowledge.version, opened.library is not self._opened.library
        if changed:
            self._exchange(opened.library)
            log.info("knowledge_live", version=version, seconds=round(time.monotonic() - started, 2))
        self._opened = opened
        self._state = State(version, opened.at, _troubles(opened.refused))
        if opened.refused:
            _tell(opened.refused, version)
        if changed:
            _remember(opened.library, self._data)

    def _drafted(self, texts: dict[str, str], report: Report) -> Drafted | None:
        """Return what was already found out about texts, against what answers now."""
        last = self._draft
        known = last is not None and last[0] is self._opened and last[1] == texts and not report.problems
        return last[2] if known and last is not None else None


def _read_ahead(opened: Opened) -> None:
    """Work out what is remembered of texts, which the first edit would have to wait for: what was kept on disk lacks it."""
    inspect_texts(opened.texts, today(), Report())
    stored_questions(opened.library)


def draft(opened: Opened, texts: dict[str, str], data: Path, report: Report) -> Drafted:
    """Return what texts would make, checked and guarded against what answers now; ``report`` has what reading found."""
    return _judged(_made(opened, texts, data, report), opened, texts)


def _made(opened: Opened, texts: dict[str, str], data: Path, report: Report) -> Drafted:
    """Return what texts would make, whatever it means."""
    knowledge, found = inspect_texts(texts, today(), report)
    return Drafted(Library(knowledge, Finder(knowledge, data, opened.library.finder)) if knowledge else None, found)


def _judged(made: Drafted, opened: Opened, texts: dict[str, str]) -> Drafted:
    """Return a draft with what its meaning is found to break."""
    if made.library is None:
        return made
    stolen = problems(guard(made.library, opened.library), made.library.knowledge, texts)
    return Drafted(None if any(not problem.notice for problem in stolen) else made.library, sorted([*made.problems, *stolen]))


def settle(opened: Opened, texts: dict[str, str], report: Report, data: Path, drafted: Drafted | None = None) -> Opened:
    """Return what should answer now that the folder has these texts: they, or when they are not good what did, and why not.

    All workers come to the same: the first to judge tells the others by the snapshot, and who missed an edit catches up.
    ``drafted`` is what has been found out already about the texts, against what is ``opened``.
    """
    made = drafted or _made(opened, texts, data, report)
    version = content_hash(texts)
    with _judging(data):
        kept = read_snapshot(data) or Snapshot(opened.texts, opened.at)
        if made.library is not None and kept.texts == texts:
            return Opened(opened.library if opened.texts == texts else made.library, texts, kept.at)
        if kept.texts != opened.texts and (ahead := _restored(kept, data, opened.library.finder)) is not None:
            opened, drafted = ahead, None
        if made.library is not None and kept.refused_version == version:
            return replace(opened, refused=tuple(Problem(*problem) for problem in kept.refused))
        judged = drafted or _judged(made, opened, texts)
        if judged.library is not None:
            now = datetime.now(UTC)
            _keep(data, Snapshot(texts, now))
            return Opened(judged.library, texts, now)
        refused = tuple(problem for problem in judged.problems if not problem.notice)
        if made.library is not None:
            told = tuple((problem.path, problem.line, problem.text) for problem in refused)
            _keep(data, Snapshot(kept.texts, kept.at, version, told))
        return replace(opened, refused=refused)


@contextmanager
def _judging(data: Path) -> Iterator[None]:
    """Let one worker at a time judge; a full disk must not keep a good edit from going live."""
    with ExitStack() as held:
        try:
            held.enter_context(alone(data / "judging.lock", JUDGING_SECONDS))
        except OSError as error:
            log.error("judging_alone_failed", error=type(error).__name__)
        yield


def _restored(kept: Snapshot, data: Path, former: Finder | None = None) -> Opened | None:
    """Return what a snapshot has; None when today's program cannot read it any more.

    What was good on its day stays good: a validity that ran out since does not stop the bot.
    """
    cache = knowledge_cache(data)
    knowledge = cache.read()
    if knowledge is None or knowledge.version != content_hash(kept.texts):
        knowledge = inspect_texts(kept.texts, kept.at.date(), Report())[0]
        if knowledge is None:
            return None
        cache.write(knowledge)
    return Opened(Library(knowledge, Finder(knowledge, data, former)), kept.texts, kept.at)


def _remember(library: Library, data: Path) -> None:
    """Keep on disk, for the next start, what was worked out."""
    library.finder.keep()
    knowledge_cache(data).write(library.knowledge)


def _keep(data: Path, snapshot: Snapshot) -> None:
    """Write the snapshot; a full disk must not keep a good edit from going live."""
    try:
        write_snapshot(data, snapshot)
    except OSError as error:
        log.error("snapshot_not_kept", error=type(error).__name__)


def _tell(refused: Sequence[Problem], version: str) -> None:
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
