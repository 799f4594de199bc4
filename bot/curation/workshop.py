"""What the staff's desk can do: see how the knowledge stands, try a draft, publish it, take it back, ask why, report."""

from __future__ import annotations

import re
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from bot.answer import Bot, Library
from bot.catalogue import Knowledge
from bot.curation.comparing import changes
from bot.curation.drafting import draft
from bot.curation.guard import ask, near_pairs, stored_questions
from bot.curation.live import SETTLED, Live, today
from bot.curation.publishing import Archive, plain
from bot.curation.reporting import missed, report_in_steps
from bot.curation.staff_store import StaffStore
from bot.curation.staffing import (
    Candidate,
    Cluster,
    Copy,
    Explained,
    Listed,
    Missed,
    Preview,
    Published,
    Report,
    Sheet,
    State,
    Trouble,
)
from bot.curation.tables import as_csv, as_xlsx
from bot.knowledge import Problem
from bot.knowledge.folder import inspect_texts, read_texts
from bot.knowledge.problems import Report as Found
from bot.model import MAX_READ
from bot.understanding.explaining import advice

MOST_ASKED = 600
"""So many stored questions, and as many logged ones, are asked of both versions: some two seconds."""

CANDIDATES = 4
"""So many entries are named that a question may mean: the answer and the runners-up."""

NEW = re.compile(r"faq/[^/\\.\x00-\x1f][^/\\\x00-\x1f]{0,60}\.md")
"""What a file may be called that is made here."""

NEAR = 60.0
"""From this likeness on a stored question of another file may notice an edit."""


class Workshop:
    """Everything that ``/staff`` needs; safe to share between threads."""

    def __init__(self, folder: Path, data: Path, bot: Bot, live: Live, store: StaffStore) -> None:
        self._folder = folder
        self._bot = bot
        self._live = live
        self._store = store
        self._archive = Archive(folder, data)

    @property
    def knowledge(self) -> Knowledge:
        """The knowledge base that answers now."""
        return self._bot.knowledge

    @property
    def state(self) -> State:
        """How the knowledge base stands."""
        return self._live.state

    def may_try(self, address: str, at: datetime) -> bool:
        """Count an attempt to log in; False when there were too many."""
        return self._store.may_try(address, at)

    def logged_in(self, address: str) -> None:
        """Forget the attempts of an address."""
        self._store.logged_in(address)

    def why(self, text: str) -> Explained:
        """Return why a question is answered as it is."""
        library = self._live.opened.library
        reply = ask(text[:MAX_READ], library.knowledge, library.finder)
        findings = library.finder.explained(text[:MAX_READ])
        entries = library.knowledge.entries
        candidates = [Candidate(entries[m.entry], m.score, m.why.phrasing, m.why.shared) for m in findings.matches[:CANDIDATES]]
        return Explained(
            kind=reply.kind,
            said=reply.text,
            read=findings.standard,
            heard=findings.corrected or "",
            unknown=findings.matches[0].why.unknown if findings.matches else (),
            candidates=(*candidates[:1], *sorted(candidates[1:], key=lambda one: -one.score)),
            advice=advice(findings, library.knowledge),
        )

    def missed(self, days: int) -> Missed:
        """Return what could not be answered in the last days."""
        now = datetime.now(UTC)
        since = now - timedelta(days=days)
        found = missed(self._store.turns(since, now, missed=True), self._store.count(since, now))
        return replace(found, clusters=self._seen_to(found.clusters))

    def count(self, days: int) -> int:
        """Return how many turns the last days have."""
        now = datetime.now(UTC)
        return self._store.count(now - timedelta(days=days), now)

    def report(self, days: int) -> Generator[int, None, Report]:
        """Yield how many turns are read; return what those of the last days say."""
        now = datetime.now(UTC)
        found = yield from report_in_steps(self._store.turns(now - timedelta(days=days), now), self.knowledge.entries)
        return replace(found, clusters=self._seen_to(found.clusters))

    def csv(self, found: Report) -> str:
        """Return a report's clusters as a table for a spreadsheet."""
        return as_csv(found, self.knowledge)

    def xlsx(self, found: Report) -> bytes:
        """Return a report as a spreadsheet."""
        return as_xlsx(found, self.knowledge)

    def guide(self) -> str:
        """Return what staff are told about writing, Markdown; empty when there is none."""
        try:
            return (self._folder / "README.md").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def draft(self, examples: Sequence[str]) -> str:
        """Return a file for a new service that answers these questions: all but the answer."""
        library = self._live.opened.library
        matches = library.finder.find(examples[0]).matches
        return draft(examples, matches[0].entry if matches else None, library.knowledge, datetime.now(UTC))

    def _seen_to(self, clusters: Iterable[Cluster]) -> tuple[Cluster, ...]:
        """Return clusters with what their questions are answered with now, and today's ids of entries that were renamed."""
        library = self._live.opened.library
        moved = library.knowledge.moved

        def seen(one: Cluster) -> Cluster:
            nearest = moved.get(one.nearest or "", one.nearest)
            reply = ask(one.examples[0], library.knowledge, library.finder)
            seen_to = reply.kind == "answer" and not one.badly_rated
            return replace(one, nearest=nearest, now=reply.entry if seen_to else None)

        return tuple(map(seen, clusters))

    def files(self) -> list[Listed]:
        """Return every file that can be edited."""
        texts = read_texts(self._folder, Found())
        entries = [entry.path for entry in self.knowledge.entries.values()]
        troubled = [problem.path for problem in self.state.problems]
        names = sorted({*texts, *(path for path in troubled if (self._folder / path).is_file())})
        return [Listed(path, _title(texts.get(path, "")), entries.count(path), troubled.count(path)) for path in names]

    def sheet(self, path: str) -> Sheet | None:
        """Return a file for editing; None when there is none of that name."""
        if path not in {listed.path for listed in self.files()}:
            return None
        return self._archive.sheet(path)

    def blank(self, path: str) -> Sheet | None:
        """Return an empty sheet for a new file; None when there may be none of that name, or there is one."""
        return Sheet(path, "", "") if NEW.fullmatch(path) and not (self._folder / path).exists() else None

    def check(self, path: str, text: str) -> tuple[Trouble, ...]:
        """Return what is wrong in the file with this text, without looking at meanings: fast enough while typing."""
        _, found = self._inspected(path, plain(text))
        return _troubles(problem for problem in found if problem.path == path or not problem.notice)

    def preview(self, path: str, text: str, days: int) -> Preview:
        """Return what the draft would make, and which stored questions, and which of the last days, it would change."""
        texts, report_ = self._with(path, plain(text))
        drafted = self._live.draft(texts, report_)
        found = _troubles(problem for problem in drafted.problems if problem.path == path or not problem.notice)
        knowledge = drafted.library.knowledge if drafted.library else inspect_texts(texts, today(), Found())[0]
        if knowledge is None:
            return Preview(found)
        entries = tuple(entry for entry in knowledge.entries.values() if entry.path == path)
        if drafted.library is None:
            return Preview(found, entries)
        questions = [*self._stored_near(path, drafted.library), *self._logged(days)]
        changed = changes(questions, self._live.opened.library, drafted.library)
        return Preview(found, entries, tuple(changed), len(set(questions)))

    def publish(self, path: str, text: str, mark: str) -> Published:
        """Put a draft in place if it breaks nothing and nobody changed the file since it had this mark.

        Raises OSError when it cannot be written, TimeoutError when another publisher does not come to an end.
        """
        return self._put(path, plain(text), mark)

    def _put(self, path: str, text: str, mark: str) -> Published:
        """Publish a text; an empty one takes the file away, which only the undoing of a new file does."""
        with self._archive.alone():
            sheet = self._archive.sheet(path)
            if sheet.mark != mark:
                return Published("same" if sheet.text == text else "conflict", sheet)
            if sheet.text == text and not self._problems_at(path):
                return Published("same", sheet)
            texts, found = self._with(path, text)
            drafted = self._live.draft(texts, found)
            errors = [problem for problem in drafted.problems if not problem.notice]
            if made := _made(errors, [*self._present(), *self.state.problems]):
                return Published("refused", sheet, _troubles(made))
            self._archive.write(path, text, datetime.now(UTC))
            note = self._archive.commit(path, f"知识库：改 {path}（网页编辑）")
            self._look()
            return Published("saved" if errors else "live", self._archive.sheet(path), _troubles(errors), note)

    def copies(self, path: str) -> tuple[Copy, ...]:
        """Return what the file was before, the newest first."""
        return self._archive.copies(path)

    def undo(self, path: str, name: str, mark: str) -> Published | None:
        """Put a copy back in place, as a publication of its own; None when there is no such copy."""
        text = self._archive.copy(path, name)
        return None if text is None else self._put(path, text, mark)

    def _inspected(self, path: str, text: str) -> tuple[Knowledge | None, list[Problem]]:
        texts, found = self._with(path, text)
        return inspect_texts(texts, today(), found)

    def _with(self, path: str, text: str) -> tuple[dict[str, str], Found]:
        """Return the folder's texts with one of them replaced (empty: without it), and what was wrong with the others."""
        found = Found()
        texts = {**read_texts(self._folder, found), path: text}
        found.problems = [problem for problem in found.problems if problem.path != path]
        return {name: text for name, text in texts.items() if text}, found

    def _present(self) -> list[Problem]:
        """Return what is wrong in the folder as it is, whoever did it."""
        found = Found()
        return inspect_texts(read_texts(self._folder, found), today(), found)[1]

    def _problems_at(self, path: str) -> bool:
        return any(problem.path == path for problem in self.state.problems)

    def _look(self) -> None:
        """Have this worker take the edit over before the page is shown; the others follow by themselves."""
        time.sleep(SETTLED)
        self._live.look()

    def _stored_near(self, path: str, after: Library) -> list[str]:
        """Return the stored questions of a file, and those elsewhere that are like one of them that is new."""
        before = self._live.opened.library
        old, new = stored_questions(before), stored_questions(after)
        known = {(one.form, one.owner) for one in old}
        added = [one for one in new if (one.form, one.owner) not in known]
        near = [other.text for _, other, _ in near_pairs(added, new, NEAR)] if added else []
        entries = {**after.knowledge.entries, **before.knowledge.entries}
        own = [one.text for one in (*new, *old) if entries[one.owner].path == path]
        return list(islice(dict.fromkeys([*(one.text for one in added), *near, *own]), MOST_ASKED))

    def _logged(self, days: int) -> list[str]:
        return self._store.questions(datetime.now(UTC) - timedelta(days=days), MOST_ASKED) if days else []


def _made(after: Iterable[Problem], before: Iterable[Problem | Trouble]) -> list[Problem]:
    """Return the problems that an edit makes; what was wrong already must not keep anybody from mending it bit by bit."""
    known = {(problem.path, problem.text) for problem in before}
    return [problem for problem in after if (problem.path, problem.text) not in known]


def _troubles(found: Iterable[Problem]) -> tuple[Trouble, ...]:
    return tuple(
        Trouble(problem.path, problem.line, problem.text, problem.notice)
        for problem in sorted(found, key=lambda one: (one.notice, one))
    )


def _title(text: str) -> str:
    first = next((line for line in text.split("\n") if line.startswith("# ")), "")
    return first.removeprefix("# ").split("{#")[0].strip()
