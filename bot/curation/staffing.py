"""The nouns of the staff's desk: how the knowledge stands, a draft that was checked, what publishing did, a report."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

from bot.catalogue import Entry


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to mend in a file, or (``notice``) one worth knowing; ``line`` counts from 1."""

    path: str
    line: int
    text: str
    notice: bool = False

    def __str__(self) -> str:
        """Return the line that staff read."""
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class State:
    """How the knowledge base stands in this process.

    ``version`` answers since ``since``. When the folder has something else that cannot go live, ``problems`` says why and
    ``current`` is False.
    """

    version: str
    since: datetime
    problems: tuple[Trouble, ...] = ()

    @property
    def current(self) -> bool:
        """Whether what answers is what is in the folder."""
        return not self.problems


# --- Editing ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file as it is opened for editing; ``mark`` changes whenever anybody changes the file."""

    path: str
    text: str
    mark: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One file in the list: its heading, how many entries it has (0 for the lists), how many problems."""

    path: str
    title: str
    entries: int
    problems: int


@dataclass(frozen=True, slots=True)
class Change:
    """A question that would be answered otherwise: what was and what would be said, in a few words."""

    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draft would make: its problems, the entries of the file (none when it cannot be read), what would change.

    ``asked`` questions were compared: those stored for the file and near it, and the most frequent of the last days.
    """

    problems: tuple[Trouble, ...]
    entries: tuple[Entry, ...] = ()
    changes: tuple[Change, ...] = ()
    asked: int = 0


Outcome = Literal["live", "saved", "refused", "conflict", "same"]


@dataclass(frozen=True, slots=True)
class Published:
    """What became of a draft.

    ``live``: it answers now. ``saved``: it stands in the folder, which has other problems still. ``refused``: nothing was
    written, ``problems`` say why. ``conflict``: somebody else changed the file meanwhile, ``sheet`` is theirs. ``same``:
    there was nothing to change. ``note`` is empty or says what else went wrong (no commit could be made).
    """

    outcome: Outcome
    sheet: Sheet
    problems: tuple[Trouble, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """A file as it was before it was changed at ``at`` (aware); ``name`` names the copy, ``none`` says there was no file."""

    name: str
    at: datetime
    none: bool = False


# --- Why --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry that a question may mean: how likely (0 to 1), the wording nearest to it, the words they share."""

    entry: Entry
    score: float
    nearest: str
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Why a question is answered as it is.

    ``kind`` and ``said`` are the reply's, ``read`` the question as it was read, ``heard`` the word that a mistyped one was
    taken for (or empty), ``unknown`` the words nobody knew, ``advice`` the one line to act on.
    """

    kind: str
    said: str
    read: str
    heard: str
    unknown: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    advice: str


# --- What was asked ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Logged:
    """One turn of the past as the report sees it: masked, and without any words when somebody was in danger.

    ``offered`` are the entries (ids) of a list, ``nearest`` the entry that came nearest, ``referred`` says that the person was
    sent to another door, ``useful`` what they thought of the reply (None when they did not say).
    """

    at: datetime
    channel: str
    person: str
    question: str
    kind: str
    entry: str | None
    offered: tuple[str, ...] = ()
    referred: bool = False
    nearest: str | None = None
    useful: bool | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Questions that mean much the same: how many were asked, the most frequent three, the nearest entry (id or None).

    ``now`` is the entry (id) that the most frequent one is answered with since: then somebody has seen to it.
    """

    count: int
    examples: tuple[str, ...]
    nearest: str | None
    badly_rated: int
    now: str | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """What could not be answered of late: how many questions were asked, and the biggest clusters of what was missed."""

    asked: int
    clusters: tuple[Cluster, ...]

    @property
    def count(self) -> int:
        """How many questions were missed."""
        return sum(cluster.count for cluster in self.clusters)


@dataclass(frozen=True, slots=True)
class Day:
    """One day's turns, by channel and by kind of reply."""

    day: date
    channels: dict[str, int]
    kinds: dict[str, int]


@dataclass(frozen=True, slots=True)
class Offered:
    """An entry that stood in lists: how often, and how often it was then opened."""

    entry: str
    offered: int
    chosen: int


@dataclass(frozen=True, slots=True)
class Report:
    """What a period's turns say. Clusters, uses and offers come biggest first; days in order; entries are ids."""

    total: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    channels: dict[str, int] = field(default_factory=dict)
    days: tuple[Day, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    used: tuple[tuple[str, int], ...] = ()
    never: tuple[str, ...] = ()
    passed_over: tuple[Offered, ...] = ()
