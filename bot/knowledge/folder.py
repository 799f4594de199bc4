"""Reads the whole folder: the one place that turns Markdown into a ``Knowledge`` or into a list of problems."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path, PurePosixPath

from bot.catalogue import Guide, Knowledge, Source
from bot.knowledge.checks import check
from bot.knowledge.faq import FaqReader
from bot.knowledge.guides import read_guide
from bot.knowledge.lists import (
    read_emergencies,
    read_hotlines,
    read_measures,
    read_menu,
    read_neighbours,
    read_offices,
    read_places,
    read_smalltalk,
    read_source,
    read_words,
)
from bot.knowledge.markdown import Section, parse
from bot.knowledge.pinning import pinned
from bot.knowledge.problems import KnowledgeError, Problem, Report

LISTS = ("measures", "offices", "hotlines", "places", "words", "neighbours", "emergencies", "smalltalk", "menu")


def load(folder: Path, today: date) -> Knowledge:
    """Return the knowledge base of a folder.

    Raises KnowledgeError with every problem of every file, paths relative to the folder.
    """
    knowledge, problems = inspect(folder, today)
    if knowledge is None:
        raise KnowledgeError([problem for problem in problems if not problem.notice])
    return knowledge


def inspect(folder: Path, today: date) -> tuple[Knowledge | None, list[Problem]]:
    """Return the knowledge base (None when it cannot go live) and every problem and notice, sorted by place."""
    report = Report()
    return inspect_texts(read_texts(folder, report), today, report)


def inspect_texts(texts: dict[str, str], today: date, report: Report) -> tuple[Knowledge | None, list[Problem]]:
    """Return the same for texts by path; ``report`` has what was wrong while they were read."""
    knowledge = build(texts, today, report)
    found = sorted(pinned(problem, texts) for problem in report.problems)
    return (None if report.errors else knowledge), found


def read_texts(folder: Path, report: Report) -> dict[str, str]:
    """Return every Markdown file's text by its path relative to the folder, noting what is not UTF-8."""
    texts: dict[str, str] = {}
    for path in sorted(folder.rglob("*.md")):
        name = path.relative_to(folder).as_posix()
        if not is_knowledge(name):
            continue
        try:
            # utf-8-sig: Windows editors put a byte-order mark in front, and that is fine.
            texts[name] = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            report.error(name, 1, "不是 UTF-8 编码（可能存成了 GBK）：用记事本“另存为”，编码选 UTF-8")
        except FileNotFoundError:
            continue  # an editor put another file in its place between the listing and this line
        except OSError:
            report.error(name, 1, "读不出来：看看是不是文件夹，或者没有读的权限")
    for name in LISTS:
        if f"{name}.md" not in texts:
            report.error(f"{name}.md", 1, "缺这个文件，或者读不出来")
    return texts


def is_knowledge(name: str) -> bool:
    """Return whether a Markdown file (path relative to the folder) is one that the bot reads."""
    return name.endswith(".md") and PurePosixPath(name).name != "README.md" and not name.startswith("leaflets/")


def build(texts: dict[str, str], today: date, report: Report) -> Knowledge:
    """Return what the texts say, as far as it can be read; ``report`` has what is wrong."""
    parsed = {path: parse(text) for path, text in texts.items()}

    def sections(name: str) -> tuple[Section, ...]:
        return parsed.get(f"{name}.md", ())

    measures = read_measures(report, "measures.md", sections("measures"))
    offices = read_offices(report, "offices.md", sections("offices"))
    hotlines = read_hotlines(report, "hotlines.md", sections("hotlines"))
    sources: dict[str, Source] = {}
    for path in _under(parsed, "sources/"):
        if source := read_source(report, path, parsed[path]):
            sources[source.name] = source
    faq = FaqReader(report, measures, offices, sources)
    for path in _under(parsed, "faq/"):
        faq.read(path, parsed[path])
    guides: dict[str, Guide] = {}
    for path in _under(parsed, "guides/"):
        if guide := read_guide(report, path, parsed[path], faq.entries):
            guides[guide.id] = guide
    counties, outside = read_places(report, "places.md", sections("places"), offices)
    main_services, menu = read_menu(report, "menu.md", sections("menu"))
    knowledge = Knowledge(
        version=content_hash(texts),
        measures=measures,
        offices=offices,
        hotlines=hotlines,
        sources=sources,
        services=faq.services,
        entries=faq.entries,
        neighbours=read_neighbours(report, "neighbours.md", sections("neighbours"), hotlines),
        places=counties,
        outside=outside,
        words=read_words(report, "words.md", sections("words")),
        emergencies=read_emergencies(report, "emergencies.md", sections("emergencies")),
        smalltalk=read_smalltalk(report, "smalltalk.md", sections("smalltalk")),
        guides=guides,
        main_services=main_services,
        menu=menu,
        moved=faq.moved,
    )
    check(knowledge, today, report)
    return knowledge


def content_hash(texts: dict[str, str]) -> str:
    """Return 12 hex digits that change whenever any file's content or name does."""
    digest = hashlib.sha256()
    for path in sorted(texts):
        digest.update(f"{path}\0{texts[path]}\0".encode())
    return digest.hexdigest()[:12]


def _under(parsed: dict[str, tuple[Section, ...]], prefix: str) -> list[str]:
    return sorted(path for path in parsed if path.startswith(prefix))
