"""Reads the files beside the questions: measures, offices, hotlines, sources, places, words and the fixed talk."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from bot.catalogue import (
    EmergencyRule,
    Hotline,
    Measure,
    MenuGroup,
    MenuItem,
    Neighbour,
    Office,
    Outside,
    Place,
    SmallTalk,
    Source,
    Words,
)
from bot.knowledge.markdown import Item, Section
from bot.knowledge.problems import Report
from bot.understanding.text import compact

NUMBERED = re.compile(r"^(\d+)\s+(.+)$")
ARROW = re.compile(r"\s*(?:→|=>|->)\s*")

Sections = tuple[Section, ...]


def split_names(text: str) -> tuple[str, ...]:
    """Return a list written with 、 (or commas)."""
    return tuple(part.strip() for part in re.split("[、，,]", text) if part.strip())


def _entries(sections: Sections) -> tuple[Section, ...]:
    """Return the ``##`` sections of a file that opens with one ``#`` heading."""
    return tuple(child for section in sections for child in section.children)


def _value(section: Section, name: str) -> str:
    return section.fields().get(name, Item("", section.line)).text


def _required(report: Report, path: str, section: Section, name: str) -> str:
    value = _value(section, name)
    if not value:
        report.error(path, section.line, f"「{section.title}」没写{name}：加一行 - {name}：…")
    return value


def _id(report: Report, path: str, section: Section) -> str:
    if not section.id:
        report.error(path, section.line, f"「{section.title}」缺编号：在标题后面加 {{#小写英文-短横线}}")
    return section.id or f"line-{section.line}"


def _lines(section: Section, title: str) -> tuple[str, ...]:
    child = section.child(title)
    return tuple(item.text for item in child.texts()) if child else ()


def read_measures(report: Report, path: str, sections: Sections) -> dict[int, Measure]:
    """Return the plan's measures by number."""
    measures: dict[int, Measure] = {}
    for section in _entries(sections):
        match = NUMBERED.match(section.title)
        if match is None:
            report.error(path, section.line, f"「{section.title}」要写成“序号 标题”，如 ## 6 失业登记")
            continue
        measures[int(match[1])] = Measure(
            number=int(match[1]),
            title=match[2],
            action=_required(report, path, section, "行动"),
            summary=_required(report, path, section, "内容"),
            deadline=_required(report, path, section, "完成时限"),
            offices=split_names(_required(report, path, section, "责任科室")),
        )
    return measures


def read_offices(report: Report, path: str, sections: Sections) -> dict[str, Office]:
    """Return the departments and county bureaus by id."""
    return {
        (office_id := _id(report, path, section)): Office(
            id=office_id,
            name=section.title,
            level=_required(report, path, section, "级别"),
            duty=_required(report, path, section, "管什么"),
            phone=_value(section, "电话"),
            address=_value(section, "地址"),
            hours=_value(section, "时间"),
        )
        for section in _entries(sections)
    }


def read_hotlines(report: Report, path: str, sections: Sections) -> dict[str, Hotline]:
    """Return the hotlines by number."""
    return {
        section.title: Hotline(
            section.title, _required(report, path, section, "名称"), _required(report, path, section, "管什么")
        )
        for section in _entries(sections)
    }


def read_source(report: Report, path: str, sections: Sections) -> Source | None:
    """Return the one source that a file of ``sources/`` describes; its name is the file's."""
    if not sections or sections[0].level != 1:
        report.error(path, 1, "文件要以 # 依据名 开头")
        return None
    head = sections[0]
    facts = head.child("用到的事实")
    return Source(
        name=PurePosixPath(path).stem,
        citation=_required(report, path, head, "简称"),
        title=_required(report, path, head, "标题"),
        number=_value(head, "文号"),
        date=_required(report, path, head, "日期"),
        status=_value(head, "状态"),
        facts=tuple(item.text for item in facts.items()) if facts else (),
    )


def read_neighbours(report: Report, path: str, sections: Sections, hotlines: dict[str, Hotline]) -> dict[str, Neighbour]:
    """Return what is not ours, by id; a phone must be one of the hotlines."""
    found: dict[str, Neighbour] = {}
    for section in _entries(sections):
        phone = _value(section, "电话")
        if phone and phone not in hotlines:
            report.error(path, section.line, f"电话 {phone} 不在 hotlines.md：先核实、加进去，或者留空")
        neighbour_id = _id(report, path, section)
        if neighbour_id in found:
            report.error(path, section.line, f"编号 {neighbour_id} 已经用过：换一个没用过的")
        found[neighbour_id] = Neighbour(
            id=neighbour_id,
            name=section.title,
            whom=_required(report, path, section, "找谁"),
            phone=phone,
            sentence=_required(report, path, section, "一句话"),
            phrasings=_lines(section, "说法"),
        )
    return found


def read_places(
    report: Report, path: str, sections: Sections, offices: dict[str, Office]
) -> tuple[tuple[Place, ...], tuple[Outside, ...]]:
    """Return Yunfu's counties and the places outside that people name."""
    counties: list[Place] = []
    outside: list[Outside] = []
    for section in _entries(sections):
        if section.title in ("省内", "省外"):
            elsewhere = (name for item in section.items() for name in split_names(item.text))
            outside += [Outside(name, section.title == "省内") for name in elsewhere]
            continue
        office = _required(report, path, section, "机构")
        ids = {known.name: known.id for known in offices.values()}
        if office not in ids:
            report.error(path, section.line, f"offices.md 里没有「{office}」")
        names = split_names(_required(report, path, section, "叫法"))
        counties.append(Place(ids.get(office, ""), section.title, names, split_names(_value(section, "镇街"))))
    return tuple(counties), tuple(outside)


def read_words(report: Report, path: str, sections: Sections) -> Words:
    """Return the word lists; a variant may have one standard word only."""
    replace: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for section in _entries(sections):
        if section.title == "不换":
            # A longer word kept as it is shields the shorter variant inside it: 人工客服 is no 工资客服.
            replace |= {name: name for item in section.items() for name in split_names(item.text)}
        if section.title != "换成标准词":
            lists[section.title] = tuple(name for item in section.items() for name in split_names(item.text))
            continue
        for item in section.items():
            standard, _, variants = item.text.partition("：")
            for variant in split_names(variants):
                if replace.setdefault(variant, standard) != standard:
                    report.error(path, item.line, f"「{variant}」已经换成「{replace[variant]}」：只留一处")
    broad, frames, known, fillers = (lists.get(title, ()) for title in ("太宽的词", "套话", "专门的词", "称呼和语气词"))
    return Words(replace, broad, frames, known, frozenset(fillers))


def read_emergencies(report: Report, path: str, sections: Sections) -> tuple[EmergencyRule, ...]:
    """Return the kinds of danger in file order, the gravest first."""
    return tuple(
        EmergencyRule(
            id=_id(report, path, section),
            lines=split_names(_required(report, path, section, "热线")),
            first=_required(report, path, section, "先做"),
            then=_value(section, "之后") or None,
            signs=tuple(split_signs(line) for line in _lines(section, "标志")),
            examples=_lines(section, "说法"),
            unless=tuple(split_signs(line) for line in _lines(section, "除非")),
        )
        for section in _entries(sections)
    )


def split_signs(line: str) -> tuple[str, ...]:
    """Return the groups of a sign: ``撞/碰 ＋ 动不了`` needs one word of each group; each group stays one string."""
    return tuple(group.strip() for group in re.split("[+＋]", line) if group.strip())


def read_smalltalk(report: Report, path: str, sections: Sections) -> dict[str, SmallTalk]:
    """Return the turns about the bot itself, by id."""
    return {
        (talk_id := _id(report, path, section)): SmallTalk(
            talk_id,
            "\n".join(_lines(section, "回应")) or _required(report, path, section, "回应"),
            frozenset(compact(line.lower()) or line for line in _lines(section, "整句")),
            tuple(line.lower() for line in _lines(section, "包含")),
        )
        for section in _entries(sections)
    }


def read_menu(report: Report, path: str, sections: Sections) -> tuple[tuple[MenuItem, ...], tuple[MenuGroup, ...]]:
    """Return the main services and the public account's menu."""
    services: tuple[MenuItem, ...] = ()
    groups: list[MenuGroup] = []
    for section in _entries(sections):
        if section.title == "主要服务":
            services = _menu_items(report, path, section)
        else:
            groups += [MenuGroup(child.title, _menu_items(report, path, child)) for child in section.children]
    return services, tuple(groups)


def _menu_items(report: Report, path: str, section: Section) -> tuple[MenuItem, ...]:
    items = []
    for item in section.items():
        parts = ARROW.split(item.text)
        if len(parts) == 2:
            items.append(MenuItem(parts[0], parts[1]))
        else:
            report.error(path, item.line, f"「{item.text}」要写成“文字 → 编号”")
    return tuple(items)
