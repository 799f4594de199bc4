"""Reads the short messages that lean on what was said before: picks, aspects, corrections, returns; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.model import Choice
from bot.understanding.aspects import ASPECT_WORDS
from bot.understanding.text import compact

ORDINALS = {
    sign: number for number, signs in enumerate(("1一①壹", "2二两②贰", "3三③叁", "4四④", "5五⑤", "6六⑥"), 1) for sign in signs
}
PICK = re.compile(
    r"^(?:选|我选|要|我要|就|回复)?(?:第)?([1-9一二两三四五六①②③④⑤⑥壹贰叁])(?:个|条|项|号|那个|种)?(?:吧|啦|呗|的|那个)?$"
)
LAST = re.compile(r"^(?:最后|后面|尾)(?:一|那|嗰)?(?:个|条|项)?(?:吧)?$")
FIRST = re.compile(r"^(?:最前|前面|头)(?:一|那|嗰)?(?:个|条|项)?(?:吧)?$")
POINTER = re.compile(r"(?:那个|这个|那条|这条|嗰个|个|的|我要|我选|选|就|是|吧|呗|啊|，|,)")

CORRECTION = re.compile(
    r"^(?:不对|不是的?|错了|搞错了|说错了|打错了|讲错咗?|唔系|不是这个|我不是问这个)?[,，。 ]*"
    r"(?:我是说|我是问|我说的是|我问的是|我是想问|我系话|我系问|我想问的是|是说)[,，:： ]*"
)
WRONG = re.compile(
    r"^(?:不对|不是的?|错了|搞错了|说错了|打错了|讲错咗?|唔系|唔係|唔啱|不是这个|答错了|我不是问这个)[,，。！! ]*"
)
RETURN = re.compile(
    r"(?:好|行|那)?[,， ]*(?:回到|返回|说回|讲返|倒回|继续说|还是说|再说|再问)"
    r"(?:刚才|刚刚|之前|前面|上面|先头|头先)?(?:那个|那件|的|个|嗰个|那条)*"
    r"|(?:刚才|刚刚|之前|先头|头先)(?:那个|嗰个|那件事?|说的)"
)

PARTICLES = re.compile(
    r"大概|一般|具体|大约|如果|他们|[那要带办理去是的呢吗啊吧了有没什么怎可以能我你他们需都还得嘅咗和跟到这个,，。？?！! ]"
    r"|[哪里几多少交给用不一先问下请]"
)
"""What a follow-up may say without saying anything of its own."""


def picked(text: str, choices: Sequence[Choice]) -> Choice | None:
    """Return the open choice that a message picks, by number, by its own text, or by words from it; else None."""
    said = compact(text)
    for choice in choices:
        if said in (compact(choice.text), *map(compact, choice.words)):
            return choice
    number = pick_number(said, len(choices))
    if number is not None:
        return choices[number - 1] if number <= len(choices) else None
    words = POINTER.sub("", said)
    if not 2 <= len(words) <= 8:
        return None
    hits = [c for c in choices if words in compact(c.text) or any(w in words for w in map(compact, c.words) if len(w) > 1)]
    return hits[0] if len(hits) == 1 else None


def pick_number(text: str, count: int) -> int | None:
    """Return the number (from 1) that a short message says, None when it says none; ``count`` resolves 最后一个."""
    if LAST.match(text):
        return count or None
    if FIRST.match(text):
        return 1
    match = PICK.match(text)
    if match is None:
        return None
    return int(match[1]) if match[1].isdigit() else ORDINALS[match[1]]


def stripped(text: str) -> str:
    """Return what a follow-up says beyond its aspect words, pointers and particles."""
    rest = text
    for word in sorted((w for words in ASPECT_WORDS.values() for w in words), key=len, reverse=True):
        rest = rest.replace(word, "")
    return PARTICLES.sub("", rest)
