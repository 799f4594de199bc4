"""What people could not find: counted, gathered, drafted, written as tables; fast, and silent about danger."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from conftest import ROOT
from openpyxl import load_workbook
from small_knowledge import write_knowledge
from staff_site import Office

from bot.curation.clustering import cluster
from bot.curation.drafting import drafts
from bot.curation.reporting import report
from bot.curation.staff_store import StaffStore
from bot.curation.staffing import Cluster, Logged, Missed, Offered
from bot.knowledge.folder import inspect
from bot.storage.store import Store
from bot.storage.tables import RATINGS, TURNS

pytest_plugins = ["staff_fixtures"]

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ENTRIES = ("deposit-refund", "wages-how", "unemployment-how")


def turn(question: str, kind: str, minute: int = 0, person: str = "p", **more: object) -> Logged:
    given: dict[str, object] = {"entry": None, **more}
    return Logged(NOW + timedelta(minutes=minute), "web", person, question, kind, **given)  # type: ignore[arg-type]


def test_everything_is_counted() -> None:
    found = report(
        [
            turn("押金", "choices", 0, offered=("deposit-refund", "wages-how")),
            turn("1", "answer", 1, entry="deposit-refund"),
            turn("押金", "choices", 2, offered=("deposit-refund", "wages-how")),
            turn("别的", "answer", 60 * 24, entry="wages-how"),
            turn("押金", "choices", 60 * 24 + 1, offered=("deposit-refund", "wages-how")),
            turn("你好", "smalltalk", 60 * 24 + 2),
            turn("医保", "none", 60 * 24 + 3, referred=True),
        ],
        ENTRIES,
    )
    assert found.total == 7
    assert found.kinds == {"choices": 3, "answer": 2, "smalltalk": 1, "none": 1}
    assert [(str(day.day), sum(day.kinds.values())) for day in found.days] == [("2026-11-23", 3), ("2026-11-24", 4)]
    assert found.used == (("deposit-refund", 1), ("wages-how", 1))
    assert found.never == ("unemployment-how",)
    assert found.passed_over == (Offered("wages-how", 3, 0), Offered("deposit-refund", 3, 1))
    assert found.clusters == ()


def test_what_was_not_answered_and_what_was_disliked_is_gathered_with_the_nearest_entry() -> None:
    found = report(
        [
            *(turn("电动车充电桩在哪里", "none", n, nearest="wages-how") for n in range(3)),
            turn("附近充电桩在哪里", "none", 4, nearest="deposit-refund"),
            turn("电动车充电桩哪有", "none", 5),
            turn("工资压了三个月", "answer", 6, entry="wages-how", useful=False),
            turn("工资压了四个月", "answer", 7, entry="wages-how", useful=True),
            turn("🙂", "none", 8),
        ],
        ENTRIES,
    )
    assert found.clusters == (
        Cluster(5, ("电动车充电桩在哪里", "电动车充电桩哪有", "附近充电桩在哪里"), "wages-how", 0),
        Cluster(1, ("工资压了三个月",), "wages-how", 1),
    )


@pytest.mark.parametrize(
    ("questions", "together"),
    [
        (("充电桩在哪", "哪里有充电桩", "附近充电桩"), True),
        (("电动车上牌怎么办", "小孩上学怎么办"), False),
        (("公积金怎么提取", "公积金提取"), True),
        (("怎么办", "哪里办"), False),
    ],
)
def test_questions_that_mean_the_same_are_put_together(questions: tuple[str, ...], together: bool) -> None:
    others = {f"问题{word}怎么办": 1 for word in "甲乙丙丁戊己庚辛"}
    clusters = cluster({**dict.fromkeys(questions, 5), **others})
    assert any(set(questions) <= set(one) for one in clusters) is together


def test_danger_is_counted_and_never_shown(office: Office) -> None:
    keep(office.store, [("我在流血 名叫小明", "emergency", False), ("充电桩在哪", "none", None)])
    store = StaffStore(office.store, b"s")
    turns = list(store.turns(NOW - timedelta(days=1), NOW + timedelta(days=1)))
    assert "流血" not in str(turns)
    assert report(turns, ENTRIES).kinds == {"emergency": 1, "none": 1}
    assert store.questions(NOW - timedelta(days=1), 10) == ["充电桩在哪"]


def keep(store: Store, rows: list[tuple[str, str, bool | None]], at: datetime = NOW) -> None:
    """Write turns as the store has them: question, kind, and how they were rated."""
    made = []
    for number, (question, kind, _) in enumerate(rows):
        choices = [{"text": "x", "entry": "wages-how"}] if kind == "choices" else []
        made.append(
            {
                "id": uuid.uuid4().hex,
                "channel": ("web", "wechat")[number % 2],
                "message_id": uuid.uuid4().hex,
                "person": f"p{number % 997}",
                "at": at + timedelta(seconds=number),
                "question": question,
                "kind": kind,
                "entry": "deposit-refund" if kind == "answer" else None,
                "version": "v",
                "reply": {"body": "字" * 200, "choices": choices, "refer": None},
                "matches": [{"entry": "wages-how", "score": 0.2}],
            }
        )
    rated = [
        {"turn": row["id"], "useful": useful, "reason": "", "at": at}
        for row, (_, _, useful) in zip(made, rows, strict=True)
        if useful is not None
    ]
    with store.engine.begin() as connection:
        connection.execute(TURNS.insert(), made)
        if rated:
            connection.execute(RATINGS.insert(), rated)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_turns_of_a_period(database: str, kind: str) -> None:
    if not database.startswith(kind):
        return
    store = Store(database, b"s")
    keep(store, [("一", "none", None), ("二", "choices", True)])
    keep(store, [("三", "answer", False)], NOW + timedelta(days=2))
    turns = list(StaffStore(store, b"s").turns(NOW, NOW + timedelta(days=1)))
    assert [(t.question, t.kind, t.offered, t.nearest, t.useful) for t in turns] == [
        ("一", "none", (), "wages-how", None),
        ("二", "choices", ("wages-how",), "wages-how", True),
    ]
    assert turns[0].at == NOW
    store.close()


WORDS = [
    *("充电桩", "电动车", "上牌", "公积金", "小孩", "上学", "居住证", "驾照", "年审", "违章", "罚款", "疫苗", "停车", "宿舍"),
    *("网费", "手机卡", "快递", "丢件", "赔付", "商家", "差评", "顾客", "楼道", "门禁", "保安", "电梯", "雨衣", "头盔"),
    *("保险", "理赔", "贷款", "征信", "起诉", "律师", "租房", "押租", "水电", "煤气", "物业"),
]


def many(count: int) -> list[tuple[str, str, bool | None]]:
    """Return that many turns, a third of them unanswered, with thousands of different wordings."""
    rows: list[tuple[str, str, bool | None]] = []
    for n in range(count):
        one, other = WORDS[n % len(WORDS)], WORDS[n * 7 // 3 % len(WORDS)]
        question = f"{one}{other}{('怎么办', '在哪里', '要多少钱', '找谁')[n % 4]}{n % 50 if n % 3 else ''}"
        rows.append((question, ("none", "answer", "choices")[n % 3], None if n % 10 else n % 20 == 0))
    return rows


def run(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KNOWLEDGE_DIR": str(home / "knowledge"), "DATA_DIR": str(home / "data")}
    command = [sys.executable, "scripts/report.py", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_knowledge(tmp_path / "knowledge")
    (tmp_path / "data").mkdir()
    return tmp_path


def fill(home: Path, rows: list[tuple[str, str, bool | None]]) -> None:
    store = Store(f"sqlite:///{home / 'data' / 'bot.db'}", b"s")
    keep(store, rows, datetime.now(UTC) - timedelta(days=2))
    store.close()


def test_a_hundred_thousand_questions_take_ten_seconds_and_are_told_of(home: Path) -> None:
    fill(home, many(100_000))
    started = time.monotonic()
    cpu = os.times()
    done = run(home)
    wall, after = time.monotonic() - started, os.times()
    assert done.returncode == 0, done.stderr
    assert "已读 100000/100000 句" in done.stderr
    assert "共 100000 句" in done.stdout
    # Processor time: other tests run beside this one.
    assert after.children_user + after.children_system - cpu.children_user - cpu.children_system <= 10, wall


def test_the_tables_and_the_drafts(home: Path) -> None:
    fill(home, [("=cmd|' /C calc'!A0", "none", None), *[("充电桩在哪", "none", None)] * 3, ("我在流血", "emergency", None)])
    out = [str(home / name) for name in ("r.csv", "r.xlsx", "drafts")]
    done = run(home, "--csv", out[0], "--xlsx", out[1], "--draft", out[2])
    assert done.returncode == 0, done.stderr
    assert "流血" not in done.stdout
    with Path(out[0]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert [row[2] for row in rows] == ["例一", "充电桩在哪", "'=cmd|' /C calc'!A0"]
    book = load_workbook(out[1])
    assert book.sheetnames == ["没答上的", "用得最多的", "列出没选的", "没用到的", "每天"]
    assert book["没答上的"]["C2"].value == "充电桩在哪"
    written = sorted(Path(out[2]).iterdir())
    assert len(written) == 2
    for draft in written:
        (home / "knowledge" / "faq" / draft.name).write_bytes(draft.read_bytes())
    knowledge, problems = inspect(home / "knowledge", NOW.date())
    assert knowledge is None
    assert {problem.path for problem in problems if not problem.notice} == {f"faq/{draft.name}" for draft in written}
    assert sum("待写" in problem.text for problem in problems) >= 2


def test_a_draft_is_whole_once_its_answer_is_written(office: Office) -> None:
    made = drafts([Cluster(3, ("充电桩在{哪}", "哪有 #充电桩"), "wages-how", 0)], office.workshop.knowledge, NOW.date())
    ((name, text),) = made.items()
    done = text.replace("依据：（待写）", "依据：示例法 第30条").replace("核对日期：（待写）", "核对日期：2026-11-20")
    (office.folder / "faq" / name).write_text(done.replace("（待写）", "问物业。"), encoding="utf-8")
    knowledge, problems = inspect(office.folder, NOW.date())
    assert [str(problem) for problem in problems if not problem.notice] == []
    assert knowledge is not None


@pytest.mark.parametrize("days", [7, 365])
def test_the_page(office: Office, days: int) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    keep(office.store, [("充电桩在哪<b>", "none", None), ("我在流血", "emergency", False)], an_hour_ago)
    page = office.colleague().get(f"/staff/report?days={days}").text
    assert "充电桩在哪&lt;b&gt;" in page
    assert "流血" not in page
    assert "紧急情况 1 句" in page
    assert page.count('<svg class="chart"') == 2
    table = office.colleague().get(f"/staff/report.csv?days={days}")
    assert table.data.decode("utf-8-sig").splitlines()[1].startswith("1,0,充电桩在哪<b>,")


def test_nothing_asked_yet(make_office: Callable[..., Office], home: Path) -> None:
    assert "没有。" in make_office().colleague().get("/staff/report").text
    assert run(home).returncode == 0


def test_rating_rows_of_forgotten_people_are_no_trouble(office: Office) -> None:
    keep(office.store, [("一", "none", False)])
    with office.store.engine.begin() as connection:
        connection.execute(sa.delete(RATINGS))
        connection.execute(sa.delete(TURNS))
    assert office.workshop.missed(7) == Missed(0, ())
