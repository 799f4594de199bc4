"""The desk: who gets in, what it shows, how an edit is tried, published, refused and taken back."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from small_knowledge import DEPOSIT, UNEMPLOYMENT
from staff_site import PASSWORD, Office, git, log_in, opened_mark, send, token

from bot.curation.staff_store import LOCKED_FOR
from bot.model import Message

pytest_plugins = ["staff_fixtures"]

FILE = "faq/deposit.md"
SHORT = "单位不能收押金，可以要求退还。"
BETTER = DEPOSIT.replace(SHORT, "押金要得回来。")
STEALING = DEPOSIT.replace("- 公司扣着我的身份证", "- 没工作了想登记失业了")
PAGES = ("/staff/", "/staff/files", "/staff/report", "/staff/report.csv", "/staff/why?q=押金", f"/staff/edit/{FILE}")


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


def test_why(office: Office) -> None:
    page = office.colleague().get("/staff/why", query_string={"q": "站点押着我的压金"}).text
    assert "加一条" in page or "答对了就不用改" in page


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
