"""Recognises small talk: turns about the bot itself, in the sentences that staff keep in ``knowledge/smalltalk.md``; pure.

What is a listed sentence, or made of them, is small talk whatever else it may mean. What only reads like them is, when the
pairs of its characters are those of small talk rather than of the questions: learnt from the sentences, and from all
wordings of entries and neighbours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Set

from bot.catalogue import SmallTalk
from bot.understanding.reader import make_reader

SHORT = 12
"""Up to so many characters a listed word anywhere decides what the message is."""

LONGEST = 24
"""A longer message is hardly made of small talk alone."""

OPENING = "greeting"
"""The small talk (id) that other talk may follow in one message: 你好 谢谢 is thanks."""

TALKING = 0.8
"""From this on a message that means nothing else reads like small talk."""

RATHER = 1.5
"""From this on one does that may mean something, but not for sure."""

OUTRIGHT = 2.5
"""From this on it reads so much like small talk that what it seems to mean is chance."""

COMMANDS = ("menu", "restart", "forget", "more", "none-of-these")
"""What the bot does when told so (ids): nobody is taken to have said it who only spoke alike."""

ENOUGH = 300
"""How many sentences the reading needs; with fewer only what is listed counts."""

Spoken = tuple[int, tuple[str, ...]]
"""How the beginning of a text may be made up: so many characters of address and particles, and these small talks (ids)."""


class Talks:
    """All small talk, ready to be recognised in compact, simplified texts."""

    def __init__(
        self, talks: Iterable[SmallTalk], fillers: Set[str], spoken: Mapping[str, Counter[str]], others: Counter[str]
    ) -> None:
        """Take the small talks, the more important first, and forms of address and particles, which say nothing beside it.

        ``spoken`` says for each talk that can be told by how it reads, ``others`` for the wordings of what is no small talk,
        how many have each pair of characters.
        """
        talks = tuple(talks)
        self._sentences = {sentence: talk.id for talk in reversed(talks) for sentence in talk.exact}
        self._words = tuple((word, talk.id) for talk in talks for word in talk.contains)
        self._fillers = fillers
        enough = sum(len(talk.exact) for talk in talks) >= ENOUGH
        self._reader = make_reader(spoken, others) if enough and others else None

    def of(self, text: str) -> str | None:
        """Return the small talk (id) that a text is, None when it is none.

        It is a listed sentence, has a listed word and is short, or is made of listed sentences, forms of address and
        particles alone (老师你好呀，太谢谢您了).
        """
        worded = (talk for word, talk in self._words if word in text) if len(text) <= SHORT else iter(())
        return self.listed(text) or next(worded, None) or (self._made_of(text) if len(text) <= LONGEST else None)

    def listed(self, text: str) -> str | None:
        """Return the small talk (id) that staff wrote down with just this text."""
        return self._sentences.get(text)

    def loudness(self, pairs: Collection[str]) -> float:
        """Return how much a text, given as its pairs of characters, reads like small talk: above 0 more than like questions."""
        return self._reader.loudness(pairs) if self._reader is not None else 0.0

    def nearest(self, pairs: Collection[str]) -> str | None:
        """Return the small talk (id) that a text, given as its pairs of characters, most likely is."""
        return self._reader.nearest(pairs) if self._reader is not None else None

    def _made_of(self, text: str) -> str | None:
        """Return the last small talk of those that a text is made of, with as few fillers as may be."""
        begun: dict[int, Spoken] = {0: (0, ())}
        for start in range(len(text)):
            if start not in begun:
                continue
            filled, said = begun[start]
            for end in range(start + 1, len(text) + 1):
                piece = text[start:end]
                talk = self._sentences.get(piece) if len(piece) > 1 else None
                if talk is None and piece not in self._fillers:
                    continue
                spoken = (filled + (0 if talk else len(piece)), (*said, talk) if talk else said)
                begun[end] = min(begun.get(end, spoken), spoken)
        _, said = begun.get(len(text), (0, ()))
        return next((talk for talk in reversed(said) if talk != OPENING), said[-1] if said else None)


def spoken_pairs(talks: Iterable[SmallTalk], pairs_of: Callable[[str], Iterable[str]]) -> dict[str, Counter[str]]:
    """Return how many sentences of each talk that is no command have each pair of characters."""
    told = (talk for talk in talks if talk.id not in COMMANDS)
    return {talk.id: Counter(pair for sentence in talk.exact for pair in pairs_of(sentence)) for talk in told}
