"""Recognises someone in danger now, from the signs that staff keep in ``knowledge/emergencies.md``; pure."""

from __future__ import annotations

from collections.abc import Iterable

from bot.catalogue import EmergencyRule

ALWAYS = "not-now"
"""The id of the section whose ``除非`` take back every kind of danger: the past, a supposition, a figure of speech."""


def find_emergency(text: str, rules: Iterable[EmergencyRule], likely: str | None = None) -> EmergencyRule | None:
    """Return the first kind of danger that a text (compact, simplified) tells of, or None.

    ``likely`` (id) is the kind that the finder read in it without any sign; only an ``unless`` takes that back.

    A sign holds when each of its groups has a word in the text. An ``unless`` takes back the rule that it stands under;
    those of the section ``not-now`` take back every rule but the ones whose signs name no time (``！`` before the sign).
    """
    rules = tuple(rules)
    taken_back = any(_holds(text, sign) for rule in rules if rule.id == ALWAYS for sign in rule.unless)
    for rule in rules:
        if rule.id == ALWAYS or _taken_back(text, rule):
            continue
        for sign in rule.signs:
            if (not taken_back or sign[0].startswith("！")) and _holds(text, sign):
                return rule
    return next((rule for rule in rules if rule.id == likely and not taken_back and not _taken_back(text, rule)), None)


def _taken_back(text: str, rule: EmergencyRule) -> bool:
    return any(_holds(text, sign) for sign in rule.unless)


def _holds(text: str, sign: tuple[str, ...]) -> bool:
    """Return whether every group has a word in the text; a group ``-词/词`` holds when none of its words is there."""
    return all(_group_holds(text, group.lstrip("！")) for group in sign)


def _group_holds(text: str, group: str) -> bool:
    if group.startswith("-"):
        return not any(word in text for word in group[1:].split("/"))
    return any(word in text for word in group.split("/"))
