"""The desk: who gets in, what it shows, how an edit is tried, published, refused and taken back."""

from __future__ import annotations

import io
import re
import time
import uuid
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from openpyxl import load_workbook
from small_knowledge import DEPOSIT, UNEMPLOYMENT
from staff_site import PASSWORD, Office, git, log_in, opened_mark, send, token
from test_report import keep

from bot.app import Patient
from bot.channels.staff.desk import StaffDesk
from bot.channels.staff.editor import with_wording
from bot.channels.staff.pages import Reading
from bot.curation.staff_store import LOCKED_FOR
from bot.curation.staffing import Report
from bot.model import Message

pytest_plugins = ["staff_fixtures"]

FILE = "faq/deposit.md"
SHORT = "单位不能收押金，可以要求退还。"
BETTER = DEPOSIT.replace(SHORT, "押金要得回来。")
STEALING = DEPOSIT.replace("- 公司扣着我的身份证", "- 没工作了想登记失业了")
PAGES = (
    "/staff/",
    "/staff/files?q=押金",
    "/staff/new?name=新的",
    "/staff/guide",
    "/staff/report",
    "/staff/report.csv",
    "/staff/report.xlsx",
    "/staff/why?q=押金",
    f"/staff/edit/{FILE}",
)
PASSING = re.compile(r'name="csrf_token" value="[^"]+"')


def says(office: Office, question: str = "押金不退怎么办") -> str:
    name = uuid.uuid4().hex
    message = Message("test", name, name, question, datetime.now(UTC))
    return office.bot.answer(message).body.split("\n")[0]


# --- The door ---------------------------------------------------------------------------------------------------------


def test_without_a_password_there_is_no_desk(make_office: Callable[..., Office]) -> None:
    client = make_office(staff_password_hash="").visitor()
    assert {client.get(page).status_code for page in (*PAGES, "/staff/login")} == {404}


@pytest.mark.parametrize("page", PAGES)
def test_strangers_are_sent_to_the_login(office: Office, page: str) -> None:
    response = office.visitor().get(page)
    assert (response.status_code, response.location) == (303, "/staff/login")
    assert office.colleague().get(page).status_code == 200


def test_nothing_is_done_for_a_stranger_or_without_a_token(office: Office) -> None:
    stranger, colleague = office.visitor(), office.colleague()
    fields = {"text": BETTER, "do": "publish", "mark": opened_mark(colleague, FILE)}
    with_token = {**fields, "csrf_token": token(stranger, "/staff/login")}
    assert stranger.post(f"/staff/edit/{FILE}", data=with_token).status_code == 303
    assert colleague.post(f"/staff/edit/{FILE}", data=fields).status_code == 400
    assert (office.folder / FILE).read_text(encoding="utf-8") == DEPOSIT


def test_five_wrong_passwords_lock_an_address_out_in_every_worker(make_office: Callable[..., Office]) -> None:
    office = make_office()
    client = office.visitor()
    assert [log_in(client, "wrong").status_code for _ in range(6)] == [403] * 5 + [429]
    other_worker = make_office().visitor()
    assert log_in(other_worker, PASSWORD).status_code == 429
    page = token(client, "/staff/login")
    elsewhere = client.post(
        "/staff/login", data={"csrf_token": page, "password": PASSWORD}, environ_overrides={"REMOTE_ADDR": "10.0.0.9"}
    )
    assert elsewhere.status_code == 303


def test_a_lock_out_ends_and_the_right_password_wipes_the_slate(office: Office) -> None:
    workshop, now = office.workshop, datetime.now(UTC)
    assert [workshop.may_try("a", now) for _ in range(6)] == [True] * 5 + [False]
    assert workshop.may_try("a", now + LOCKED_FOR + timedelta(seconds=1))
    for _ in range(4):
        workshop.may_try("b", now)
    workshop.logged_in("b")
    assert [workshop.may_try("b", now) for _ in range(6)] == [True] * 5 + [False]


def test_guesses_from_everywhere_are_counted_together(office: Office) -> None:
    now = datetime.now(UTC)
    tried = [office.workshop.may_try(f"10.0.0.{number}", now) for number in range(60)]
    assert tried == [True] * 50 + [False] * 10


def test_logging_out_and_a_new_password_end_a_session(make_office: Callable[..., Office]) -> None:
    office = make_office()
    client = office.colleague()
    client.post("/staff/logout", data={"csrf_token": token(client, "/staff/")})
    assert client.get("/staff/").status_code == 303
    client = office.colleague()
    cookie = client.get_cookie("session")
    assert cookie is not None
    after = make_office(staff_password_hash="pbkdf2:sha256:1$a$b").visitor()  # noqa: S106 - opens nothing
    after.set_cookie("session", cookie.value)
    assert after.get("/staff/").status_code == 303


def test_pages_of_the_desk_are_kept_nowhere_and_found_by_nobody(office: Office) -> None:
    response = office.colleague().get("/staff/")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


# --- What it shows ----------------------------------------------------------------------------------------------------


def test_the_first_page_says_what_is_wrong_and_what_is_due(office: Office) -> None:
    client = office.colleague()
    assert "已经全部生效" in client.get("/staff/").text
    (office.folder / FILE).write_text(DEPOSIT.replace("### 短答", "### 短嗒", 1), encoding="utf-8")
    office.workshop._look()
    page = client.get("/staff/").text
    assert "没有生效" in page
    assert f"{FILE}:" in page
    assert "短嗒" in page


def test_what_is_due_for_review(office: Office) -> None:
    (office.folder / FILE).write_text(DEPOSIT.replace("2026-11-01", "2020-01-01", 1), encoding="utf-8")
    office.workshop._look()
    page = office.colleague().get("/staff/").text
    assert "核对过了180天" in page
    assert "该核对的（1）" in page


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("站点扣着我的押金不给", ("答对了就不用改", "单位不能收押金", "（直接答）", "99%")),
        ("无人机押金", ("该答「押金不退怎么要回来」的话", "faq/deposit.md:5", "加这句问法即可", "没人认识的词：无人机")),
        ("流血了怎么办", ("（紧急）", "先打急救电话")),
        ("住院费用怎么报销", ("（不知道或指路）", "看病报销归医保部门")),
        ("你好", ("（闲聊）", "你好，我在")),
        ("<script>", ("&lt;script&gt;",)),
    ],
)
def test_why(office: Office, question: str, told: tuple[str, ...]) -> None:
    page = office.colleague().get("/staff/why", query_string={"q": question}).text
    assert [words for words in told if words not in page] == []


def test_the_first_page_says_what_riders_could_not_find(office: Office) -> None:
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    keep(
        office.store,
        [("充电桩在哪<b>", "none", None), ("押金不退怎么办", "none", None), ("我在流血", "emergency", False)],
        an_hour_ago,
    )
    page = office.colleague().get("/staff/").text
    assert "2 句没答好" in page
    assert "充电桩在哪&lt;b&gt;" in page
    assert "押金不退怎么办" not in page  # somebody has seen to it since
    assert "流血" not in page


def test_every_worker_shows_the_same_also_after_a_restart(make_office: Callable[..., Office]) -> None:
    first, second = make_office(), make_office()
    (first.folder / FILE).write_text(STEALING, encoding="utf-8")
    first.workshop._look()
    second.live.look()
    offices = (first, second, make_office())
    pages = {PASSING.sub("", office.colleague().get("/staff/").text) for office in offices}
    assert len(pages) == 1
    (page,) = pages
    assert "会抢走「失业登记怎么办」（faq/unemployment.md）的「没工作了想登记失业」" in page
    assert {says(office) for office in offices} == {SHORT}
    assert {tuple(Patient(office.bot, office.live).health().problems) for office in offices} == {
        tuple(map(str, first.live.state.problems))
    }


@pytest.mark.parametrize(
    ("entry", "line", "text"),
    [
        ("deposit-refund", 18, "- 退租后押金一直没退回来\n- 新的问法\n\n### 短答"),
        ("deposit-id-card", 45, "- 证件压在公司要怎么拿\n- 新的问法\n"),
        ("nothing", 0, ""),
    ],
)
def test_a_wording_is_added_where_it_belongs(entry: str, line: int, text: str) -> None:
    changed, found = with_wording(DEPOSIT, entry, "新的问法")
    assert found == line
    assert text in changed
    assert changed.split("\n")[line - 1] == "- 新的问法" if line else changed == DEPOSIT


def test_a_wording_is_added_where_there_is_none_yet() -> None:
    text = "# 服务 {#s}\n\n## 问题 {#q}\n\n### 问法\n\n### 短答\n\n答。\n"
    assert with_wording(text, "q", "新")[0] == text.replace("### 问法\n", "### 问法\n\n- 新\n")
    assert with_wording(text.replace("### 问法\n", ""), "q", "新")[1] == 0


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", ".", "", "a/b", "押金\n证件", "x" * 99, "失业.md"])
def test_a_new_file_is_made_where_it_belongs(office: Office, name: str) -> None:
    response = office.colleague().get("/staff/new", query_string={"name": name})
    if response.status_code == 303:
        assert response.location == "/staff/files"
        return
    heading = re.search(r"<h1>(.*?)</h1>", response.text)
    assert heading is not None
    assert re.fullmatch(r"faq/[^/.]{1,30}\.md", heading[1])


def test_a_new_file_does_not_take_the_place_of_another(office: Office) -> None:
    client = office.colleague()
    assert client.get("/staff/new", query_string={"name": "deposit"}).location == f"/staff/edit/{FILE}"
    done = send(client, "edit", FILE, text=BETTER, do="publish", mark="")
    assert done.status_code == 409
    fields = {"csrf_token": token(client, "/staff/"), "text": BETTER, "do": "publish", "mark": ""}
    for path in ("faq/../words.md", "faq/%2e%2e/words.md", "words2.md", "faq/.x.md", "faq/a/b.md", "README.md"):
        assert client.post(f"/staff/edit/{path}", data=fields).status_code in (308, 404), path


class Slow:
    """A desk whose report takes its time."""

    def count(self, days: int) -> int:
        return days

    def report(self, days: int) -> Generator[int, None, Report]:
        for number in range(1, days + 1):
            time.sleep(0.04)
            yield number
        return Report(total=days)


def test_a_big_report_says_how_far_it_is() -> None:
    reading = Reading(cast(StaffDesk, Slow()), 7, every=0.1)
    assert list(reading) == [3, 6]
    assert reading.report.total == 7


def test_the_report_as_a_spreadsheet(office: Office) -> None:
    keep(office.store, [("=1+1", "none", None)], datetime.now(UTC) - timedelta(hours=1))
    response = office.colleague().get("/staff/report.xlsx?days=7")
    book = load_workbook(io.BytesIO(response.data))
    assert book["没答上的"]["C2"].value == "'=1+1"
    assert "attachment" in response.headers["Content-Disposition"]


def test_the_guide_is_at_hand(office: Office) -> None:
    (office.folder / "README.md").write_text("# 怎么改\n\n| 甲 | 乙 |\n|---|---|\n| `x` | <b>y</b> |\n", encoding="utf-8")
    page = office.colleague().get("/staff/guide").text
    assert "<h1>怎么改</h1>" in page
    assert "<td><code>x</code></td>" in page
    assert "&lt;b&gt;y" in page


# --- The editor -------------------------------------------------------------------------------------------------------


def test_typing_is_checked_with_lines(office: Office) -> None:
    client = office.colleague()
    page = send(client, "check", FILE, text=DEPOSIT.replace("第9条", "第9条；不存在的法", 1)).text
    assert "第10行" in page
    assert "不存在的法" in page
    assert "没有问题" not in page


def test_a_preview_shows_the_phone_and_what_would_change_and_changes_nothing(office: Office) -> None:
    said = says(office, "公司扣着我的身份证")
    moved = BETTER.replace("- 公司扣着我的身份证\n", "").replace(
        "- 押金不退怎么办\n", "- 押金不退怎么办\n- 公司扣着我的身份证\n"
    )
    client = office.colleague()
    page = send(client, "edit", FILE, text=moved, do="preview", days="7").text
    assert "押金要得回来。" in page
    assert "改了 2 条问答" in page
    assert re.search(r"<td>公司扣着我的身份证</td><td>答「身份证被扣怎么办」</td><td>答「押金不退怎么要回来」</td>", page)
    assert (office.folder / FILE).read_text(encoding="utf-8") == DEPOSIT
    assert says(office, "公司扣着我的身份证") == said


def test_the_page_of_a_draft(office: Office) -> None:
    page = send(office.colleague(), "page", FILE, text=BETTER, entry="deposit-refund").text
    assert "押金要得回来。" in page
    assert "<h1>押金不退怎么要回来</h1>" in page


def test_publish_then_undo(office: Office) -> None:
    client = office.colleague()
    done = send(client, "edit", FILE, text=BETTER.replace("\n", "\r\n"), do="publish", mark=opened_mark(client, FILE))
    assert "已发布" in done.text
    assert says(office) == "押金要得回来。"
    assert (office.folder / FILE).read_bytes() == BETTER.encode()
    copy = office.workshop.copies(FILE)[0]
    back = send(client, "undo", FILE, copy=copy.name, mark=opened_mark(client, FILE))
    assert "已发布" in back.text
    assert says(office) == SHORT
    assert len(office.workshop.copies(FILE)) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (STEALING, "没工作了想登记失业"),
        (DEPOSIT.replace("### 短答", "### 短嗒", 1), "短嗒"),
        ("", "# 标题"),
    ],
    ids=["stolen", "unknown part", "empty"],
)
def test_what_breaks_something_is_refused_and_kept_in_the_box(office: Office, text: str, told: str) -> None:
    client = office.colleague()
    done = send(client, "edit", FILE, text=text, do="publish", mark=opened_mark(client, FILE))
    assert done.status_code == 422
    assert told in done.text
    assert (office.folder / FILE).read_text(encoding="utf-8") == DEPOSIT
    assert office.workshop.copies(FILE) == ()


def test_two_people_editing_the_same_file_are_told(office: Office) -> None:
    anna, ben = office.colleague(), office.colleague()
    marks = [opened_mark(anna, FILE), opened_mark(ben, FILE)]
    send(anna, "edit", FILE, text=BETTER, do="publish", mark=marks[0])
    late = send(ben, "edit", FILE, text=DEPOSIT.replace(SHORT, "另一个说法。"), do="publish", mark=marks[1])
    assert late.status_code == 409
    assert "别人改过" in late.text
    assert "另一个说法。" in late.text
    assert says(office) == "押金要得回来。"
    again = send(ben, "edit", FILE, text=BETTER, do="publish", mark=marks[1])
    assert "没有变化" in again.text


def test_a_broken_folder_can_be_mended_file_by_file(office: Office) -> None:
    (office.folder / FILE).write_text(DEPOSIT.replace("### 短答", "### 短嗒", 1), encoding="utf-8")
    (office.folder / "faq/unemployment.md").write_text(UNEMPLOYMENT.replace("就业科", "救业科"), encoding="utf-8")
    office.workshop._look()
    client = office.colleague()
    first = send(client, "edit", FILE, text=BETTER, do="publish", mark=opened_mark(client, FILE))
    assert "还有别的问题" in first.text
    other = "faq/unemployment.md"
    second = send(client, "edit", other, text=UNEMPLOYMENT, do="publish", mark=opened_mark(client, other))
    assert "已发布" in second.text
    assert says(office) == "押金要得回来。"


def test_a_file_saved_as_gbk_is_mended_by_publishing_it(office: Office) -> None:
    (office.folder / FILE).write_bytes(BETTER.encode("gbk"))
    office.workshop._look()
    assert not office.live.state.current
    client = office.colleague()
    assert "押金要得回来。" in client.get(f"/staff/edit/{FILE}").text
    send(client, "edit", FILE, text=BETTER, do="publish", mark=opened_mark(client, FILE))
    assert office.live.state.current
    assert says(office) == "押金要得回来。"


@pytest.mark.parametrize("path", ["../secret.md", "README.md", "faq/none.md", "faq/%2e%2e/%2e%2e/x.md", "/etc/passwd"])
def test_only_files_of_the_knowledge_base_can_be_opened(office: Office, path: str) -> None:
    (office.folder.parent / "secret.md").write_text("x", encoding="utf-8")
    (office.folder / "README.md").write_text("x", encoding="utf-8")
    assert office.colleague().get(f"/staff/edit/{path}").status_code in (308, 404)


def test_a_publication_is_committed_where_there_is_git(tmp_path: Path, make_office: Callable[..., Office]) -> None:
    office = make_office()
    git(office.folder, "init", "-q")
    git(office.folder, "add", ".")
    git(office.folder, "commit", "-q", "-m", "first")
    (office.folder / "note.txt").write_text("somebody's own", encoding="utf-8")
    client = office.colleague()
    send(client, "edit", FILE, text=BETTER, do="publish", mark=opened_mark(client, FILE))
    assert git(office.folder, "show", "--name-only", "--format=%s", "HEAD").split() == [
        "知识库：改",
        f"{FILE}（网页编辑）",
        FILE,
    ]
    assert git(office.folder, "status", "--short").split() == ["??", "note.txt"]
