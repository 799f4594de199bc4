"""Twenty-odd ways of breaking the small knowledge base, each with the place that must be named."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from small_knowledge import TEXTS

DEPOSIT, UNEMPLOYMENT = "faq/deposit.md", "faq/unemployment.md"


@dataclass(frozen=True)
class Broken:
    """An edit: ``old`` becomes ``new`` in a file; the problem must be told at ``line``, or where ``at`` stands then."""

    name: str
    path: str
    old: str
    new: str
    at: str = ""
    line: int = 0
    encoding: str = "utf-8"
    told: str = ""

    @property
    def content(self) -> bytes:
        assert self.old in TEXTS[self.path], self.name
        return TEXTS[self.path].replace(self.old, self.new, 1).encode(self.encoding)

    @property
    def place(self) -> str:
        """The ``path:line:`` that staff must be told."""
        if self.told:
            return self.told
        lines = self.content.decode(self.encoding).split("\n")
        line = self.line or next(n for n, text in enumerate(lines, 1) if text == self.at)
        return f"{self.path}:{line}: "


REFUND, CARD = "## 押金不退怎么要回来 {#deposit-refund}", "## 身份证被扣怎么办 {#deposit-id-card}"

EDITS = (
    Broken("no short answer", DEPOSIT, "### 短答\n\n单位不能收押金，可以要求退还。\n", "", REFUND),
    Broken("no phrasing", DEPOSIT, "- 公司扣着我的身份证\n- 身份证被站长拿走不还\n- 证件压在公司要怎么拿\n", "", CARD),
    Broken("unknown field", DEPOSIT, "- 方面：怎么办", "- 方而：怎么办", "- 方而：怎么办"),
    Broken("unknown part", DEPOSIT, "### 步骤", "### 步聚", "### 步聚"),
    Broken("unknown aspect", DEPOSIT, "- 方面：怎么办", "- 方面：咋办", "- 方面：咋办"),
    Broken("unknown office", DEPOSIT, "- 责任科室：监察支队", "- 责任科室：监查支队", "- 责任科室：监查支队"),
    Broken("another's office", DEPOSIT, "- 责任科室：监察支队", "- 责任科室：就业科", "- 责任科室：就业科"),
    Broken("unknown basis", DEPOSIT, "示例法 第9条", "实例法 第9条", "- 依据：实例法 第9条"),
    Broken("no basis", DEPOSIT, "- 依据：示例法 第9条\n", "", REFUND),
    Broken("no door", DEPOSIT, "- 去哪办：用工所在地人社局\n", "", REFUND),
    Broken("unreadable date", DEPOSIT, "2026-11-01", "去年11月", "- 核对日期：去年11月"),
    Broken("date to come", DEPOSIT, "2026-11-01", "2999-11-01", REFUND),
    Broken("run out", DEPOSIT, "2026-11-01", "2026-11-01\n- 有效期至：2020-01-01", REFUND),
    Broken("id twice", DEPOSIT, "{#deposit-id-card}", "{#deposit-refund}", "## 身份证被扣怎么办 {#deposit-refund}"),
    Broken("no id", DEPOSIT, " {#deposit-id-card}", "", "## 身份证被扣怎么办"),
    Broken("unknown measure", DEPOSIT, "- 措施：7", "- 措施：77", "- 措施：77"),
    Broken("wording twice", UNEMPLOYMENT, "- 失业登记材料清单", "- 押金不退怎么办", "- 押金不退怎么办"),
    Broken("broad wording", DEPOSIT, "- 押金不退怎么办", "- 工伤", "- 工伤"),
    Broken("figure without a source", DEPOSIT, "可以要求退还", "可以要求赔800元", "单位不能收押金，可以要求赔800元。"),
    Broken("loose deadline", "faq/wages.md", "向劳动保障监察投诉", "60日内会办结", "留好证据，60日内会办结。"),
    Broken("too long", DEPOSIT, "可以要求退还", "可以要求退还" + "，也可以去问一问" * 10, REFUND),
    Broken("not UTF-8", DEPOSIT, "可以要求退还", "可以要求退回", line=1, encoding="gbk"),
    Broken("emptied", DEPOSIT, TEXTS[DEPOSIT], "", line=1),
    Broken("heading gone", DEPOSIT, "# 押金和证件 {#deposit}\n", "", line=1),
    Broken("menu leads nowhere", "menu.md", "→ deposit-refund", "→ deposit-refunds", "- 押金 → deposit-refunds"),
    Broken("guide leads nowhere", "guides/money.md", "→ wages-how", "→ wages", "- 工资（说法：工钱） → wages → 先看欠薪"),
    Broken("guide without a way out", "guides/money.md", "- 不清楚", "- 押金", "## 欠的是什么 {#what}"),
    Broken("variant twice", "words.md", "- 工资：人工、粮", "- 工资：人工、粮\n- 劳动：人工", "- 劳动：人工"),
    Broken("unknown hotline", "neighbours.md", "- 电话：\n", "- 电话：12393\n", "## 医保报销 {#medical}"),
    Broken("list emptied", "hotlines.md", TEXTS["hotlines.md"], "# 热线\n", told="emergencies.md:1: "),
    Broken("a question stolen", DEPOSIT, "- 公司扣着我的身份证", "- 没工作了想登记失业了", "- 没工作了想登记失业了"),
)


def write(folder: Path, path: str, content: bytes) -> None:
    """Write as an editor does that puts a whole new file in place."""
    part = folder / f"{path}.part"
    part.write_bytes(content)
    part.replace(folder / path)
