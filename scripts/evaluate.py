"""Measures understanding honestly: question files, cross-validation on the knowledge base's own wordings, two versions.

``evaluate.py [FILE …]``      tables by style and kind, confusions, reliability of the score, worst cases
``evaluate.py --cross``       hides a fifth of every entry's wordings in turn and asks them
``evaluate.py --fit``         prints new constants for ``bot/understanding/certainty.py``
``evaluate.py --compare REV`` the questions whose answer differs from that of another git revision of ``knowledge/``;
                              ``--days N`` adds what was really asked in the last days
``evaluate.py --record``      writes the figures that the tests hold later changes to
"""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import io
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import astuple, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from judging import RIGHT_ENTRY, Judged, Question, converse, judge_all, judge_turn, read_conversations, read_questions, shares

from bot.answer import Library
from bot.app import open_library
from bot.catalogue import Knowledge
from bot.config import read_config, read_secret
from bot.curation.comparing import changes
from bot.curation.staff_store import StaffStore
from bot.storage.store import Store
from bot.understanding.certainty import Evidence
from bot.understanding.matching import Finder

QUESTIONS = _venv.ROOT / "tests" / "questions"
RECORD = QUESTIONS / "measured.json"
FOLDS = 5
BINS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.01)
MOST_LOGGED = 2000
"""How many logged questions a comparison asks at most, the most frequent first."""

UNRELIABLE_LABELS = "emergency"
"""The file whose in-scope labels are rough: good for emergencies, not for measures."""


def main() -> int:
    """Do what the command line asks; return the exit code."""
    options = _options()
    files = options.files or sorted(path for path in QUESTIONS.glob("*.jsonl") if path.stem != "conversations")
    library = open_library(_venv.ROOT / "knowledge", read_config().data_dir)
    knowledge, finder = library.knowledge, library.finder
    if options.cross:
        return _cross(knowledge)
    if options.compare:
        return _compare(library, options.compare, files, options.days)
    if options.fit:
        return _fit(finder, knowledge, files)
    judged = {path: _judge(finder, knowledge, path) for path in files}
    if options.record:
        return _record(finder, knowledge, judged)
    _report([one for ones in judged.values() for one in ones], finder, options.worst)
    for path in {path.parent / "conversations.jsonl" for path in files}:
        if path.exists():
            print(f"\n对话 {path}：答对或列出 {_conversations(finder, knowledge, path):.1%}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="衡量听得懂多少")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--cross", action="store_true", help="交叉验证")
    parser.add_argument("--fit", action="store_true", help="重新拟合把握度")
    parser.add_argument("--compare", metavar="REV", help="与另一个 git 版本的知识库比")
    parser.add_argument("--days", type=int, default=0, help="比较时加上最近几天真实问过的话")
    parser.add_argument("--record", action="store_true", help="记下这次的数字，测试以它为准")
    parser.add_argument("--worst", type=int, default=20, help="列出多少个最差的")
    return parser.parse_args()


def _judge(finder: Finder, knowledge: Knowledge, path: Path) -> list[Judged]:
    print(f"在问 {path.name} ……", file=sys.stderr)
    questions = read_questions(path)
    if path.stem == UNRELIABLE_LABELS:
        questions = [question for question in questions if question.kind != "in"]
    return judge_all(finder, knowledge, questions)


def _conversations(finder: Finder, knowledge: Knowledge, path: Path) -> float:
    verdicts = [
        judge_turn(gold, reply)
        for turns, golds in read_conversations(path)
        for gold, reply in zip(golds, converse(finder, knowledge, turns), strict=True)
    ]
    return sum(verdict in ("right", "offered") for verdict in verdicts) / len(verdicts)


# --- The report ---------------------------------------------------------------------------------------------------------


def _report(judged: Sequence[Judged], finder: Finder, worst: int) -> None:
    groups: defaultdict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[one.question.kind].append(one)
        if one.question.kind == "in" and one.question.style:
            groups[f"in {one.question.style}"].append(one)
        if one.question.kind == "out" and one.question.note[:4] in ("near", "far:"):
            groups[f"out {one.question.note[:4].rstrip(':')}"].append(one)
    print(f"{'':16}{'n':>6}  right offered wrong missed | refused listed false-alarm")
    for name, ones in sorted(groups.items()):
        s = shares(ones)
        cells = [s.get(v, 0) for v in ("right", "offered", "wrong", "missed", "refused", "listed", "false alarm")]
        entry = f"  条目也对 {s[RIGHT_ENTRY]:.1%}" if RIGHT_ENTRY in s else ""
        print(f"{name:16}{s['n']:>6}  " + " ".join(f"{cell:6.1%}" for cell in cells) + entry)
    _reliability(judged)
    _confusion(judged)
    print("\n最差的（答错、把握还大）：")
    wrong = sorted((o for o in judged if o.verdict == "wrong"), key=lambda o: -(o.reply.score or 0))
    for one in wrong[:worst]:
        match = finder.explained(one.question.text).matches[0]
        print(
            f"  {one.reply.score} {list(one.question.gold)} {one.question.text[:50]!r} -> {one.reply.entry}"
            f"（共有：{'、'.join(match.why.shared)}；最近：{match.why.phrasing[:20]}）"
        )


def _reliability(judged: Iterable[Judged]) -> None:
    answered = [
        (o.reply.score or 0.0, o.verdict == "right")
        for o in judged
        if o.reply.kind == "answer" and o.question.kind in ("in", "out")
    ]
    print("\n把握度可靠吗（只看直接回答的）：说的把握 → 真的对了多少")
    for low, high in pairwise(BINS):
        part = [(score, right) for score, right in answered if low <= score < high]
        if part:
            said, right = np.mean([s for s, _ in part]), np.mean([r for _, r in part])
            print(f"  {low:.2f}–{min(high, 1):.2f}  n={len(part):4}  说 {said:.2f}  对 {right:.2f}")


def _confusion(judged: Iterable[Judged]) -> None:
    pairs = Counter((o.question.gold[0], o.reply.measures[0]) for o in judged if o.verdict == "wrong" and o.question.gold)
    print("\n措施之间的混淆（该是 → 答成，次数）：" + "，".join(f"{a}→{b} {n}" for (a, b), n in pairs.most_common(12)))


def _record(finder: Finder, knowledge: Knowledge, judged: dict[Path, list[Judged]]) -> int:
    record: dict[str, dict[str, dict[str, float] | float]] = {}
    for path, ones in judged.items():
        kinds = sorted({one.question.kind for one in ones})
        record[path.stem] = {
            kind: {k: round(v, 4) for k, v in shares([o for o in ones if o.question.kind == kind]).items()} for kind in kinds
        }
    record["conversations"] = {
        "right or offered": round(_conversations(finder, knowledge, QUESTIONS / "conversations.jsonl"), 4)
    }
    RECORD.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"记在 {RECORD.name}")
    return 0


# --- Cross-validation, fit, comparison ------------------------------------------------------------------------------------


def _cross(knowledge: Knowledge) -> int:
    """Ask a fifth of every entry's wordings of a finder that has not seen them, five times."""
    verdicts: Counter[str] = Counter()
    for fold in range(FOLDS):
        print(f"第 {fold + 1}/{FOLDS} 份 ……", file=sys.stderr)
        hidden: list[tuple[str, int]] = []
        entries = {}
        for entry in knowledge.entries.values():
            hidden += [(text, entry.measures[0]) for text in entry.phrasings[fold::FOLDS]]
            kept = tuple(text for n, text in enumerate(entry.phrasings) if n % FOLDS != fold)
            entries[entry.id] = replace(entry, phrasings=kept)
        part = replace(knowledge, entries=entries)
        finder = Finder(part, read_config().data_dir)
        questions = [Question(text, "in", (measure,)) for text, measure in hidden]
        verdicts.update(one.verdict for one in judge_all(finder, part, questions))
    total = sum(verdicts.values())
    print("交叉验证（每条问法都在没见过它时问过一次，按主措施算）：")
    print(
        "  " + "，".join(f"{verdict} {count / total:.1%}" for verdict, count in verdicts.most_common()) + f"（共 {total} 条）"
    )
    return 0


def _fit(finder: Finder, knowledge: Knowledge, files: Iterable[Path]) -> int:
    """Fit the certainty's logistic by iteratively reweighted least squares, with a little ridge."""
    rows: list[tuple[float, ...]] = []
    labels: list[float] = []
    for path in files:
        for question in read_questions(path) if path.stem != UNRELIABLE_LABELS else ():
            if question.kind not in ("in", "out", "abuse", "injection") or not question.text.strip():
                continue
            evidence, group = finder.assess(question.text)
            if group in knowledge.entries:
                rows.append((*astuple(evidence), 1.0))
                labels.append(float(question.kind == "in" and knowledge.entries[group].measures[0] in question.gold))
    x, y = np.array(rows), np.array(labels)
    weights = np.zeros(x.shape[1])
    ridge = 0.1 * np.eye(x.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (chance - y) + ridge @ weights
        weights -= np.linalg.solve((x * (chance * (1 - chance))[:, None]).T @ x + ridge, gradient)
    print(f"# {len(y)} 个问题；{[field.name for field in fields(Evidence)]}")
    print(f"WEIGHTS = {tuple(round(float(w), 3) for w in weights[:-1])}\nBIAS = {weights[-1]:.3f}")
    return 0


def _compare(now: Library, revision: str, files: Iterable[Path], days: int) -> int:
    """Print the questions that the knowledge base of another revision answers differently."""
    archive = subprocess.run(["git", "archive", revision, "knowledge"], cwd=_venv.ROOT, check=False, capture_output=True)
    if archive.returncode:
        sys.exit(f"没有 {revision} 这个版本，或那时没有 knowledge/：{archive.stderr.decode().strip()}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files_then:
            files_then.extractall(folder, filter="data")
        then = open_library(Path(folder) / "knowledge", Path(folder))
    questions = [question.text for path in files for question in read_questions(path)]
    changed = changes(questions + _logged(days), then, now)
    for change in changed:
        print(f"{change.question[:60]!r}: {change.before} → {change.after}")
    print(f"{len(changed)} 个问题的回答变了")
    return 0


def _logged(days: int) -> list[str]:
    """Return what people asked in the last days, from the store of the settings; nothing for 0."""
    if not days:
        return []
    config = read_config()
    store = Store(config.database, read_secret(config))
    since = datetime.now(UTC) - timedelta(days=days)
    return StaffStore(store, read_secret(config)).questions(since, MOST_LOGGED)


if __name__ == "__main__":
    sys.exit(main())
