"""What staff wrote down in ``knowledge/``, as the rest of the bot sees it: read once, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Measure:
    """One of the plan's 22 measures; ``offices`` in the plan's order, ``deadline`` in the plan's words."""

    number: int
    title: str
    action: str
    summary: str
    deadline: str
    offices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Office:
    """A responsible department (level 市) or a county bureau (level 县); empty contact fields are not shown."""

    id: str
    name: str
    level: str
    duty: str
    phone: str = ""
    address: str = ""
    hours: str = ""


@dataclass(frozen=True, slots=True)
class Hotline:
    """A public number and what it is for."""

    number: str
    name: str
    duty: str


@dataclass(frozen=True, slots=True)
class Source:
    """A document that answers rest on; ``citation`` is what people see, ``facts`` what was taken from it."""

    name: str
    citation: str
    title: str
    number: str
    date: str
    status: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Basis:
    """One source as an entry names it; ``articles`` as written (``第6条``), empty when the whole document is meant."""

    source: Source
    articles: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The parts of an answer as staff wrote them; ``short`` is never empty, the others may be."""

    short: str
    steps: tuple[str, ...] = ()
    papers: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One question that the bot can answer; ``measures`` has the main one first, ``aspects`` say which side of the service."""

    id: str
    service: str
    question: str
    phrasings: tuple[str, ...]
    tests: tuple[str, ...]
    aspects: tuple[str, ...]
    measures: tuple[int, ...]
    offices: tuple[str, ...]
    door: str
    basis: tuple[Basis, ...]
    checked: date
    valid_until: date | None
    answer: Answer
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Service:
    """What one file of ``knowledge/faq`` describes; ``entries`` are ids in file order, the first is the main one."""

    id: str
    name: str
    nicknames: tuple[str, ...]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Something people ask that is not ours, and whose it is; ``phone`` is empty when no hotline fits."""

    id: str
    name: str
    whom: str
    phone: str
    sentence: str
    phrasings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A county of Yunfu: the id of its bureau, and the names people use for it and its towns."""

    office: str
    name: str
    names: tuple[str, ...]
    towns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outside:
    """A place outside Yunfu, by the names people use for it; ``province`` says whether Guangdong's rules reach it."""

    name: str
    province: bool


@dataclass(frozen=True, slots=True)
class Option:
    """One tappable answer of a guided question; it leads to ``node`` (id) or ends at ``entry`` (id) with a reason why."""

    text: str
    words: tuple[str, ...]
    node: str | None
    entry: str | None
    why: str


@dataclass(frozen=True, slots=True)
class GuideNode:
    """One question of a guided path, asked of the person as it stands."""

    id: str
    ask: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """A short decision tree; ``start`` is the first node's id, ``triggers`` the sentences that open it."""

    id: str
    title: str
    triggers: tuple[str, ...]
    start: str
    nodes: dict[str, GuideNode]


@dataclass(frozen=True, slots=True)
class EmergencyRule:
    """One kind of danger: which lines to give, what to do first, the words that say it, and words that take it back."""

    id: str
    lines: tuple[str, ...]
    first: str
    then: str | None
    signs: tuple[tuple[str, ...], ...]
    examples: tuple[str, ...]
    unless: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class SmallTalk:
    """A turn about the bot itself; ``exact`` sentences are compared whole, ``contains`` anywhere in a short message."""

    id: str
    reply: str
    exact: frozenset[str]
    contains: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """The word lists: ``replace`` maps a variant to its standard word, ``broad`` words get a list, never an answer.

    ``fillers`` are forms of address and particles, which say nothing beside small talk.
    """

    replace: dict[str, str]
    broad: tuple[str, ...]
    frames: tuple[str, ...]
    known: tuple[str, ...]
    fillers: frozenset[str]


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A tappable service: what it says, and the entry or guide (id) that it opens."""

    text: str
    target: str


@dataclass(frozen=True, slots=True)
class MenuGroup:
    """One button of the public account's menu, with its sub-buttons in order."""

    name: str
    items: tuple[MenuItem, ...]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The whole knowledge base, checked; ``version`` is the hash of the files' contents, 12 hex digits.

    ``moved`` maps an entry's former ids to its present one. ``main_services`` are the six that the menu offers.
    """

    version: str
    measures: dict[int, Measure]
    offices: dict[str, Office]
    hotlines: dict[str, Hotline]
    sources: dict[str, Source]
    services: dict[str, Service]
    entries: dict[str, Entry]
    neighbours: dict[str, Neighbour]
    places: tuple[Place, ...]
    outside: tuple[Outside, ...]
    words: Words
    emergencies: tuple[EmergencyRule, ...]
    smalltalk: dict[str, SmallTalk]
    guides: dict[str, Guide]
    main_services: tuple[MenuItem, ...]
    menu: tuple[MenuGroup, ...]
    moved: dict[str, str]
