"""Writes, for the biggest clusters of unanswered questions, entries that only lack their answer; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from bot.catalogue import Entry, Knowledge
from bot.curation.staffing import Cluster
from bot.knowledge.checks import TO_WRITE


def draft(examples: Sequence[str], nearest: str | None, knowledge: Knowledge, at: datetime) -> str:
    """Return one such file for questions that somebody wants to answer."""
    cluster = Cluster(len(examples), tuple(examples), nearest, 0)
    return _draft(cluster, knowledge.entries.get(nearest or ""), f"{at:%Y%m%d-%H%M%S}")


def drafts(clusters: Iterable[Cluster], knowledge: Knowledge, day: date) -> dict[str, str]:
    """Return files by name: one for each cluster, in the form of ``knowledge/faq``, as near to done as can be."""
    return {
        f"待写-{day}-{number}.md": _draft(cluster, knowledge.entries.get(cluster.nearest or ""), f"{day:%Y%m%d}-{number}")
        for number, cluster in enumerate(clusters, 1)
    }


def _draft(cluster: Cluster, near: Entry | None, mark: str) -> str:
    question = _one_line(cluster.examples[0])
    wordings = "\n".join(f"- {_one_line(example)}" for example in cluster.examples)
    hint = f"这段时间有{cluster.count}次问到。" if cluster.count > len(cluster.examples) else ""
    hint += (
        f"最近的是「{near.question}」（{near.path}:{near.line}）：要是它就能答，把下面的问法加到那条里，不用写这一条。"
        if near
        else ""
    )
    return f"""# {question} {{#draft-{mark}}}

{hint}

- 措施：{"、".join(map(str, near.measures)) if near else TO_WRITE}

## {question} {{#draft-{mark}-how}}

- 方面：{"、".join(near.aspects) if near else "怎么办"}
- 责任科室：{"、".join(near.offices) if near else TO_WRITE}
- 去哪办：{near.door if near else TO_WRITE}
- 依据：{TO_WRITE}
- 核对日期：{TO_WRITE}

### 问法

{wordings}

### 短答

{TO_WRITE}
"""


def _one_line(text: str) -> str:
    """Return a question as a heading or list item can carry it."""
    return " ".join(text.split()).replace("{", "（").replace("}", "）").replace("#", "＃")[:60]
