"""What is masked and what passes."""

from __future__ import annotations

import pytest

from bot.privacy import mask, pseudonym


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("打我13800138000", "打我〔号码〕"),
        ("电话 138-0013-8000 谢谢", "电话 〔号码〕 谢谢"),
        ("身份证44532119900101123X", "身份证〔号码〕"),
        ("卡号6222 0210 0112 3456 789", "卡号〔号码〕"),
        ("座机0766-8812345", "座机〔号码〕"),
        ("车牌粤W12345", "车牌〔车牌〕"),
        ("粤W·D12345撞我", "〔车牌〕撞我"),
        ("打12333还是12345、120、12356", "打12333还是12345、120、12356"),
        ("欠我3500块，2026年11月的", "欠我3500块，2026年11月的"),
        ("我叫张三，工资没发", "我叫〔姓名〕，工资没发"),
        ("我是骑手，工资没发", "我是骑手，工资没发"),
        ("住在城北路23号302室", "〔地址〕"),
    ],
)
def test_masking(text: str, kept: str) -> None:
    assert kept in mask(text)
    assert "138" not in mask(text)


def test_a_pseudonym_depends_on_secret_channel_and_person() -> None:
    given = [(b"a", "web", "x"), (b"b", "web", "x"), (b"a", "wechat", "x"), (b"a", "web", "y")]
    assert len({pseudonym(*one) for one in given}) == 4
    assert pseudonym(b"a", "web", "x") == pseudonym(b"a", "web", "x")
