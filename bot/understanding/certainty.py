"""How sure the bot is: from what a ranking shows, the chance that its first entry is right. Fitted, not guessed.

``scripts/evaluate.py --fit`` prints ``WEIGHTS`` anew from the development questions; the reliability table of the same
script shows, on questions that the fit has not seen, whether 0.9 means nine in ten.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from operator import attrgetter


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the first entry of a ranking; every field is 0 to 1 but the logarithms.

    ``share`` of the question's weight that the entry covers; ``measure_share`` that its measure covers; ``lead`` over the
    best entry of another measure, as a part of its own score; ``likeness`` to its nearest phrasing (rapidfuzz); ``known``
    part of the content words' weight that the entry has; ``strange`` part that no entry has; ``length`` of the question,
    logarithm of characters; ``agreement`` part of the first six groups that belong to the entry's measures; ``neighbour`` the
    best neighbour's score as a part of the entry's; ``ours`` how much its pairs of characters are those of entries rather
    than of neighbours (logarithm of odds, -4 to 4); ``opinion`` how much rather a service of the entry's measures would be
    asked so than any other (logarithm of odds, -3 to 3).
    """

    share: float
    measure_share: float
    lead: float
    likeness: float
    known: float
    strange: float
    length: float
    agreement: float
    neighbour: float
    ours: float
    opinion: float


_in_order = attrgetter(*(field.name for field in fields(Evidence)))

WEIGHTS = (-0.103, 4.821, 0.527, 6.981, -0.177, -0.097, 1.212, 2.777, -3.476, 0.398, 0.315)
"""One weight for each field of Evidence, in its order."""

BIAS = -8.897
"""The log odds when all evidence is zero."""

SURE = 0.66
"""From this chance on the entry is given as the answer; tuned so that at most 2 in 100 questions get a wrong one."""

ASK = 0.15
"""From this chance on a short list is offered; below, the bot says that it does not know."""


def chance(evidence: Evidence) -> float:
    """Return the calibrated chance, 0 to 1, that the first entry is right."""
    odds = BIAS + sum(weight * value for weight, value in zip(WEIGHTS, _in_order(evidence), strict=True))
    return 1 / (1 + math.exp(-odds))
