"""ask.py as a tester uses it: one question, a batch, broken lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

FIELDS = {"id", "kind", "text", "entry", "measures", "office", "door", "sources", "choices", "refer", "score", "version"}


def ask(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, str(ROOT / "scripts" / "ask.py"), *arguments]
    environment = {**os.environ, "DATA_DIR": str(folder)}
    return subprocess.run(command, input=given, capture_output=True, check=False, env=environment, cwd=folder)


def test_a_batch_answers_every_line_in_order_and_goes_on_after_a_broken_one(tmp_path: Path) -> None:
    lines = [
        json.dumps({"q": "失业登记去哪里办"}),
        "{broken",
        json.dumps({"turns": ["失业登记怎么办", {"text": "要带什么材料", "at": "2030-01-01T00:00:00Z"}]}),
        json.dumps({"turns": ["失业登记怎么办", "要带什么材料"]}),
        json.dumps({"x": 1}),
        json.dumps({"turns": [1]}),
        '{"q": "坏\udcff"}',
        json.dumps({"q": ""}),
    ]
    path = tmp_path / "in.jsonl"
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogateescape"))
    done = ask(tmp_path, "--batch", str(path))
    out = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert done.returncode == 1
    assert len(out) == len(lines)
    assert [("error" in one) for one in out] == [False, True, False, False, True, True, False, False]
    assert out[1]["error"].startswith("line 2: ")
    first = out[0]["replies"][0]
    assert set(first) == FIELDS
    assert (first["kind"], first["entry"], first["measures"][0]) == ("answer", "unemployment-registration-where", 6)
    assert out[2]["replies"][1]["kind"] != "answer"
    assert out[3]["replies"][1]["entry"] == "unemployment-registration-papers"


def test_a_batch_reads_standard_input(tmp_path: Path) -> None:
    done = ask(tmp_path, "--batch", given='{"q": "押金"}\n'.encode())
    assert done.returncode == 0
    assert json.loads(done.stdout)["replies"][0]["kind"] == "choices"


def test_one_question_prints_what_a_rider_would_see_and_why(tmp_path: Path) -> None:
    done = ask(tmp_path, "--why", "押金不退怎么要回来")
    said = done.stdout.decode()
    assert "责任科室：" in said
    assert "deposit-refund" in said
    assert done.returncode == 0


@pytest.mark.parametrize("measure", range(1, 23))
def test_each_measure_has_a_question_that_its_entry_answers(measure: int, library) -> None:  # type: ignore[no-untyped-def]
    asked = ASKED[measure]
    findings = library.finder.find(asked)
    assert findings.outcome == "sure"
    assert library.knowledge.entries[findings.matches[0].entry].measures[0] == measure


ASKED = {
    1: "骑手要跟站点签劳动合同吗",
    2: "怎么和平台开展集体协商",
    3: "平台算法给的送达时间不合理怎么办",
    4: "新就业形态的政策原文去哪看",
    5: "哪里有招聘会找工作",
    6: "失业登记去哪里办",
    7: "入职交的押金不退怎么办",
    8: "哪些平台参加了职业伤害保障",
    9: "单项工伤保险怎么参加",
    10: "送单受伤职业伤害怎么报案",
    11: "灵活就业人员怎么交职工养老保险",
    12: "骑手自己能参加失业保险吗",
    13: "城乡居民养老保险怎么参加",
    14: "网上怎么查社保缴费记录",
    15: "技能培训班在哪里报名",
    16: "考证能领职业技能补贴吗",
    17: "外卖骑手可以考职业技能等级吗",
    18: "怎么申请劳动仲裁",
    19: "劳动纠纷怎么申请调解",
    20: "公司拖欠工资怎么投诉",
    21: "平台让我注册个体工商户能拒绝吗",
    22: "打了12345投诉多久有答复",
}
"""One plain question for each of the plan's measures, not among the stored wordings."""
