"""Counts what was asked in a period and gathers what could not be answered into clusters; pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Generator, Iterable
from datetime import date, timedelta, timezone

from bot.curation.clustering import cluster
from bot.curation.staffing import Cluster, Day, Logged, Missed, Offered, Report
from bot.understanding.text import compact

YUNFU_TIME = timezone(timedelta(hours=8))
MOST_CLUSTERS = 100
EXAMPLES = 3

LEAST_OFFERED = 3
"""An entry offered less often says nothing yet."""

CHOOSING = timedelta(minutes=30)
"""Within this time after a list an answer counts as chosen from it."""


class Tally:
    """Takes turns one at a time, so that a year's need not be held at once."""

    def __init__(self) -> None:
        self.total = 0
        self.kinds: Counter[str] = Counter()
        self.channels: Counter[str] = Counter()
        self.used: Counter[str] = Counter()
        self.offered: Counter[str] = Counter()
        self.chosen: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.disliked: Counter[str] = Counter()
        self.nearest: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._days: defaultdict[date, tuple[Counter[str], Counter[str]]] = defaultdict(lambda: (Counter(), Counter()))
        self._last: Logged | None = None

    def add(self, turn: Logged) -> None:
        """Count one turn; each person's turns must come in order of time."""
        self.total += 1
        self.kinds[turn.kind] += 1
        self.channels[turn.channel] += 1
        channels, kinds = self._days[turn.at.astimezone(YUNFU_TIME).date()]
        channels[turn.channel] += 1
        kinds[turn.kind] += 1
        self._count_entries(turn)
        self._count_miss(turn)
        self._last = turn

    @property
    def days(self) -> tuple[Day, ...]:
        """The days in order."""
        return tuple(Day(day, dict(channels), dict(kinds)) for day, (channels, kinds) in sorted(self._days.items()))

    def _count_entries(self, turn: Logged) -> None:
        if turn.kind == "answer" and turn.entry:
            self.used[turn.entry] += 1
            if self._from_list(turn):
                self.chosen[turn.entry] += 1
        self.offered.update(turn.offered if turn.kind == "choices" else ())

    def _from_list(self, turn: Logged) -> bool:
        last = self._last
        return last is not None and last.person == turn.person and turn.entry in last.offered and turn.at - last.at <= CHOOSING

    def _count_miss(self, turn: Logged) -> None:
        unanswered = turn.kind == "none" and not turn.referred
        disliked = turn.useful is False and turn.kind != "emergency"
        question = turn.question.strip()
        if not (unanswered or disliked) or not compact(question):
            return
        self.missed[question] += 1
        self.disliked[question] += disliked
        nearest = turn.entry or turn.nearest
        if nearest:
            self.nearest[question][nearest] += 1


def report(turns: Iterable[Logged], entries: Collection[str], progress: Callable[[int], None] = lambda _done: None) -> Report:
    """Return what a period's turns say; ``entries`` are the ids of today's, ``progress`` is told how many turns are read."""
    steps = report_in_steps(turns, entries)
    while True:
        try:
            progress(next(steps))
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]


def report_in_steps(turns: Iterable[Logged], entries: Collection[str]) -> Generator[int, None, Report]:
    """Yield after each turn how many are read; return the report."""
    tally = Tally()
    for number, turn in enumerate(turns, 1):
        tally.add(turn)
        yield number
    return Report(
        total=tally.total,
        kinds=dict(tally.kinds.most_common()),
        channels=dict(tally.channels.most_common()),
        days=tally.days,
        clusters=_clusters(tally),
        used=tuple(tally.used.most_common()),
        never=tuple(entry for entry in entries if not tally.used[entry]),
        passed_over=_passed_over(tally),
    )


def missed(turns: Iterable[Logged], asked: int) -> Missed:
    """Return what of so many questions could not be answered; of the turns none but those that were missed are needed."""
    tally = Tally()
    for turn in turns:
        tally.add(turn)
    return Missed(asked, _clusters(tally))


def _clusters(tally: Tally) -> tuple[Cluster, ...]:
    return tuple(_cluster(members, tally) for members in cluster(tally.missed)[:MOST_CLUSTERS])


def _cluster(members: list[str], tally: Tally) -> Cluster:
    nearest: Counter[str] = Counter()
    for member in members:
        nearest.update(tally.nearest.get(member, {}))
    best = nearest.most_common(1)
    return Cluster(
        count=sum(tally.missed[member] for member in members),
        examples=tuple(members[:EXAMPLES]),
        nearest=best[0][0] if best else None,
        badly_rated=sum(tally.disliked[member] for member in members),
    )


def _passed_over(tally: Tally) -> tuple[Offered, ...]:
    """Return what was offered but hardly chosen, the most passed over first."""
    found = [Offered(entry, count, tally.chosen[entry]) for entry, count in tally.offered.items() if count >= LEAST_OFFERED]
    return tuple(sorted(found, key=lambda one: (one.chosen - one.offered, one.entry)))
