"""Remembers the one form of every text that staff wrote: other word lists change few of them."""

from __future__ import annotations

import re

from bot.understanding.text import Normaliser, Text


class Forms:
    """Reads texts by a word list, each once; safe to share between threads. Not for what people type: it never forgets."""

    def __init__(self, normaliser: Normaliser, former: Forms | None = None) -> None:
        """Take the word list; what ``former`` read by another one is taken over where no changed word stands in it."""
        self._normaliser = normaliser
        self._read: dict[str, Text] = former._unchanged(normaliser) if former else {}

    def __call__(self, raw: str) -> Text:
        """Return a text in its one form."""
        known = self._read.get(raw)
        return known if known is not None else self._read.setdefault(raw, self._slim(raw))

    def _slim(self, raw: str) -> Text:
        """Return the form of a text with equal strings kept once: most texts are written as they are read."""
        text = self._normaliser(raw)
        plain = raw if text.plain == raw else text.plain
        return Text(plain, plain if text.standard == plain else text.standard)

    def _unchanged(self, normaliser: Normaliser) -> dict[str, Text]:
        changed = normaliser.differing(self._normaliser)
        if not changed:
            return self._read
        word = re.compile("|".join(map(re.escape, changed)))
        return {raw: text for raw, text in self._read.copy().items() if not word.search(text.plain)}
