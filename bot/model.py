"""The nouns of a conversation: what a channel hands in, what it gets back, what is remembered."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Kind = Literal["answer", "choices", "emergency", "smalltalk", "none"]

MAX_READ = 2000
"""How many characters of a message are read; the one length rule, the same for every channel."""


# --- One message and its reply ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """What a person sent, checked and parsed by the channel.

    ``kind`` is ``text`` for what was typed or said; ``open`` when ``text`` is the id of an entry, service, guide or fixed
    talk (a menu click, a QR code, a new follower); ``place`` when ``text`` is an address that the phone sent along.
    ``id`` is unique within ``channel`` (a redelivery carries the same); ``user`` is the channel's own name for the
    person and is never stored as it is; ``sent_at`` is aware, UTC.
    """

    channel: str
    user: str
    id: str
    text: str
    sent_at: datetime
    kind: Literal["text", "open", "place"] = "text"


@dataclass(frozen=True, slots=True)
class Choice:
    """One item of a list: it leads to ``entry`` (id), or to ``option`` (``guide/node``, the next guided question).

    ``words`` are further words that pick it; an item with neither target is picked for its text alone.
    """

    text: str
    entry: str | None = None
    measures: tuple[int, ...] = ()
    option: str | None = None
    words: tuple[str, ...] = ()
    why: str = ""

    def public(self) -> dict[str, Any]:
        """Return what the API shows of it."""
        return {"text": self.text, "entry": self.entry, "measures": list(self.measures)}


@dataclass(frozen=True, slots=True)
class Citation:
    """A source as the API shows it; ``number`` and ``articles`` may be empty."""

    title: str
    number: str
    date: str
    articles: str


@dataclass(frozen=True, slots=True)
class Refer:
    """Another door: its name, and a hotline (empty when none is known)."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the bot says, the same from every door.

    ``body`` is the text without the numbered choices; ``text`` has them. ``score`` (0 to 1) is how sure the bot is, for
    answer and choices only. ``version`` is the content hash of the knowledge base that answered. ``forget`` says that
    all that is kept of the person is to be deleted.
    """

    kind: Kind
    body: str
    id: str = ""
    entry: str | None = None
    measures: tuple[int, ...] = ()
    office: tuple[str, ...] = ()
    door: str = ""
    sources: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    refer: Refer | None = None
    score: float | None = None
    version: str = ""
    handover: bool = False
    forget: bool = False

    @property
    def text(self) -> str:
        """The whole reply as a phone shows it: the body and the choices, numbered."""
        lines = [f"{number}. {choice.text}" for number, choice in enumerate(self.choices, 1)]
        return "\n".join([self.body, *lines])

    def public(self) -> dict[str, Any]:
        """Return the reply object of the README, ready for JSON."""
        return {
            "id": self.id,
            "kind": self.kind,
            "text": self.text,
            "entry": self.entry,
            "measures": list(self.measures),
            "office": list(self.office),
            "door": self.door,
            "sources": [{"title": c.title, "number": c.number, "date": c.date, "articles": c.articles} for c in self.sources],
            "choices": [choice.public() for choice in self.choices],
            "refer": None if self.refer is None else {"name": self.refer.name, "phone": self.refer.phone},
            "score": self.score,
            "version": self.version,
        }


# --- What the finder says and what is remembered ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Why:
    """Why an entry was found: the phrasing nearest to the question, the words they share, the words it does not know."""

    phrasing: str
    shared: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that a question may mean; ``score`` is the calibrated chance, 0 to 1, that it is the right one."""

    entry: str
    score: float
    why: Why


Outcome = Literal["sure", "unsure", "neighbour", "nothing"]


@dataclass(frozen=True, slots=True)
class Findings:
    """What the finder makes of a message.

    ``plain`` is the text simplified and lower-cased, ``standard`` after the word lists; ``content`` are its words that are
    no frames. ``matches`` are the entries it may mean, best first, at most 8; ``within`` those of what the talk is about,
    scored by the share of the words they cover. ``neighbour`` (id) is set when the outcome is ``neighbour``; ``guide`` (id)
    when the text opens a guided question; ``danger`` (id) when somebody may be in that danger now.
    ``broad`` when it is a bare broad word; ``exact`` when it is a wording of the first match that staff wrote down.
    ``corrected`` is the known word that a mistyped one was read as, when that decided the outcome. ``talk`` is the small
    talk (id) that it is, ``like_talk`` one that it is written nearly like and that it is unless it means something else.
    """

    plain: str
    standard: str
    outcome: Outcome
    matches: tuple[Match, ...] = ()
    within: tuple[Match, ...] = ()
    neighbour: str | None = None
    guide: str | None = None
    danger: str | None = None
    broad: bool = False
    exact: bool = False
    content: tuple[str, ...] = ()
    corrected: str | None = None
    talk: str | None = None
    like_talk: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where a conversation stands after a turn; an empty one is a fresh start.

    ``recent`` are the ids of the entries shown, newest first, at most 5. ``choices`` are what is open to be picked.
    ``misses`` counts how often in a row nothing was understood. ``last_at`` is the last message's own time.
    ``told`` says that the person has read what is kept of them.
    """

    recent: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    place: str | None = None
    misses: int = 0
    last_at: datetime | None = None
    told: bool = False

    @property
    def measures(self) -> tuple[int, ...]:
        """The measures that the open choices lead to: what the talk is about before anything was answered."""
        return tuple(dict.fromkeys(measure for choice in self.choices for measure in choice.measures[:1]))


@dataclass(frozen=True, slots=True)
class Health:
    """How the bot is: ``fault`` says why the store cannot be asked or written, empty when it can.

    ``waiting`` turns are on disk until the store takes them, ``lost`` ones of this process are kept nowhere.
    ``version`` and ``entries`` are those of the knowledge base that answers; ``problems`` (path:line: what) are why the
    folder's newest is not it.
    """

    fault: str
    waiting: int
    lost: int
    version: str
    entries: int
    problems: tuple[str, ...] = ()

    @property
    def degraded(self) -> bool:
        """Whether people get answers without memory, turns wait, or staff's last edit could not go live: now, not once."""
        return bool(self.fault or self.waiting or self.problems)


@dataclass(frozen=True, slots=True)
class Turn:
    """All that one message leaves behind; the store writes it in one go."""

    message: Message
    reply: Reply
    conversation: Conversation
    matches: tuple[Match, ...] = field(default=())
