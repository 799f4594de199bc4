"""A knowledge base of three services, complete and small: an edit of it is live in a moment."""

from __future__ import annotations

from pathlib import Path

DEPOSIT = """# 押金和证件 {#deposit}

- 措施：7

## 押金不退怎么要回来 {#deposit-refund}

- 方面：怎么办
- 责任科室：监察支队
- 去哪办：用工所在地人社局
- 依据：示例法 第9条
- 核对日期：2026-11-01

### 问法

- 押金不退怎么办
- 站点扣着我的押金不给
- 退租后押金一直没退回来

### 短答

单位不能收押金，可以要求退还。

### 步骤

1. 先书面要求退。
2. 不退就去投诉。

### 测试

- 押金要不回来了

## 身份证被扣怎么办 {#deposit-id-card}

- 方面：怎么办
- 责任科室：监察支队
- 去哪办：用工所在地人社局
- 依据：示例法 第9条
- 核对日期：2026-11-01

### 问法

- 公司扣着我的身份证
- 身份证被站长拿走不还
- 证件压在公司要怎么拿

### 短答

单位不能扣身份证。
"""

UNEMPLOYMENT = """# 失业登记 {#unemployment}

- 措施：6

## 失业登记怎么办 {#unemployment-how}

- 方面：怎么办
- 责任科室：就业科
- 去哪办：镇街公共就业服务平台
- 依据：示例法 第2条
- 核对日期：2026-11-01

### 问法

- 没工作了想登记失业
- 失业登记在哪里办
- 办失业登记难不难

### 短答

没工作、想找工作就能登记，不收费。

## 失业登记要什么材料 {#unemployment-papers}

- 方面：材料
- 责任科室：就业科
- 去哪办：镇街公共就业服务平台
- 依据：示例法 第2条
- 核对日期：2026-11-01

### 问法

- 登记失业带什么证件
- 失业登记材料清单
- 登记失业需要照片不

### 短答

带身份证。
"""

WAGES = """# 拖欠工资 {#wages}

- 措施：20

## 工资不发怎么办 {#wages-how}

- 方面：怎么办
- 责任科室：监察支队
- 去哪办：用工所在地人社局
- 依据：示例法 第30条
- 核对日期：2026-11-01

### 问法

- 老板拖欠工资
- 跑单的钱一直不结
- 干了两个月一分钱没发

### 短答

留好证据，向劳动保障监察投诉。
"""

TEXTS = {
    "faq/deposit.md": DEPOSIT,
    "faq/unemployment.md": UNEMPLOYMENT,
    "faq/wages.md": WAGES,
    "measures.md": "# 措施\n"
    + "".join(
        f"\n## {number} {title}\n\n- 行动：{action}\n- 内容：{title}\n- 完成时限：持续推进\n- 责任科室：{office}\n"
        for number, title, action, office in (
            (6, "失业登记", "就业", "就业科"),
            (7, "清理押金", "就业", "监察支队"),
            (20, "拖欠工资", "监察", "监察支队"),
        )
    ),
    "offices.md": "# 科室\n\n## 就业科 {#jobs}\n\n- 级别：市\n- 管什么：就业\n- 电话：\n- 地址：\n- 时间：\n"
    "\n## 监察支队 {#inspection}\n\n- 级别：市\n- 管什么：监察\n\n## 罗定人社局 {#luoding}\n\n- 级别：县\n- 管什么：罗定\n",
    "hotlines.md": "# 热线\n"
    + "".join(
        f"\n## {number}\n\n- 名称：{name}\n- 管什么：{name}\n"
        for number, name in (("120", "急救"), ("110", "报警"), ("12333", "人社"), ("12345", "政务"))
    ),
    "sources/示例法.md": "# 示例法\n\n- 简称：示例法\n- 标题：示例法\n- 文号：\n- 日期：2020-01-01\n- 状态：有效\n"
    "\n## 用到的事实\n\n- 第9条：不得收取押金、扣押证件。\n- 第2条：可以登记。\n- 第30条：按月发工资，投诉后60日内办结。\n",
    "places.md": "# 地方\n\n## 罗定\n\n- 机构：罗定人社局\n- 叫法：罗定、罗定市\n- 镇街：罗城\n",
    "words.md": "# 词\n\n## 换成标准词\n\n- 工资：人工、粮\n\n## 太宽的词\n\n- 工伤\n\n## 套话\n\n- 怎么办\n- 请问\n",
    "neighbours.md": "# 别处的事\n\n## 医保报销 {#medical}\n\n- 找谁：医保部门\n- 电话：\n- 一句话：看病报销归医保部门。\n"
    "\n### 说法\n\n- 住院费用怎么报销\n",
    "emergencies.md": "# 紧急\n\n## 流血 {#bleeding}\n\n- 热线：120\n- 先做：先打急救电话。\n\n### 标志\n\n- 流血/大出血\n",
    "smalltalk.md": "# 固定的话\n"
    + "".join(
        f"\n## {name} {{#{name}}}\n\n- 回应：{said}\n\n### 整句\n\n- {exact}\n"
        for name, said, exact in (
            ("greeting", "你好，我在。", "你好"),
            ("welcome", "你好，有事直接问。", "欢迎"),
            ("menu", "可以问这些：", "菜单"),
            ("restart", "好，重新开始。", "重新开始"),
            ("empty", "没看到文字。", "空"),
            ("none-of-these", "那换个说法。", "都不是"),
            ("privacy", "不用报身份证号。", "隐私"),
            ("forget", "已经删除。", "删除我的记录"),
        )
    ),
    "menu.md": "# 菜单\n\n## 主要服务\n\n- 押金 → deposit-refund\n- 失业登记 → unemployment-how\n",
    "guides/money.md": "# 欠钱 {#guide-money}\n\n## 触发\n\n- 欠钱了\n\n## 欠的是什么 {#what}\n"
    "\n- 工资（说法：工钱） → wages-how → 先看欠薪\n- 不清楚 → deposit-refund → 先看押金\n",
}


def write_knowledge(folder: Path) -> Path:
    """Write the small knowledge base into a folder; return the folder."""
    for name, text in TEXTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return folder
