"""Puts an entry into the words that a phone shows: the answer first, then steps, papers, where, who, on what basis."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from bot.catalogue import Basis, Entry, Knowledge, Office
from bot.model import Citation

MOST_CHARACTERS = 500
"""An answer longer than this is not read at a red light; counted on the whole rendered entry."""

WECHAT_BYTES = 2047
"""What a passive WeChat reply may have, in bytes of UTF-8."""

EXPIRED = "注意：这条的核对有效期到{day}，之后可能有变，请先打12333核实。"


def entry_text(entry: Entry, today: date, county: Office | None = None) -> str:
    """Return an entry as people read it; ``county`` is the bureau to name when the person said where they are."""
    answer = entry.answer
    lines = [answer.short]
    if entry.valid_until is not None and entry.valid_until < today:
        lines.append(EXPIRED.format(day=entry.valid_until))
    if answer.steps:
        lines += [f"{number}. {step}" for number, step in enumerate(answer.steps, 1)]
    lines += _labelled("要带", answer.papers)
    lines += _labelled("留好证据", answer.evidence)
    lines += answer.notes
    lines += _labelled("政策变化", answer.changes)
    lines.append(f"去哪办：{entry.door}")
    if county is not None:
        lines.append(f"当地：{contact(county)}")
    lines += [f"责任科室：{'、'.join(entry.offices)}", f"依据：{'；'.join(map(cite, entry.basis))}"]
    lines.append(f"核对日期：{entry.checked}")
    return "\n".join(lines)


def long_text(entry: Entry, knowledge: Knowledge, today: date, county: Office | None = None) -> str:
    """Return the long form: the entry, the documents' full names and states, the offices' contacts where filled."""
    documents = [f"《{basis.source.title.strip('《》')}》：{basis.source.status}" for basis in entry.basis]
    named = {office.name: office for office in knowledge.offices.values()}
    contacts = [contact(named[name]) for name in entry.offices if name in named and named[name].phone]
    measures = [
        f"139号文第{number}条“{knowledge.measures[number].title}”，完成时限：{knowledge.measures[number].deadline}"
        for number in entry.measures
    ]
    return "\n".join([entry_text(entry, today, county), "", *measures, *documents, *contacts])


def contact(office: Office) -> str:
    """Return an office's name with whatever of phone, address and hours staff have filled in."""
    known = [part for part in (office.phone, office.address, office.hours) if part]
    return f"{office.name}（{'，'.join(known)}）" if known else office.name


def cite(basis: Basis) -> str:
    """Return a source as an answer names it: document, articles, date."""
    return f"{basis.source.citation}{basis.articles}（{basis.source.date}）"


def citations(entry: Entry) -> tuple[Citation, ...]:
    """Return an entry's sources as the API shows them."""
    return tuple(Citation(b.source.title, b.source.number, b.source.date, b.articles) for b in entry.basis)


def _labelled(label: str, items: Iterable[str]) -> list[str]:
    """Return one line of short items behind a label, nothing when there are none."""
    joined = "；".join(item.rstrip("；。") for item in items)
    return [f"{label}：{joined}。"] if joined else []
