"""Shows, checks and publishes the public account's custom menu, as ``knowledge/menu.md`` defines it."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import requests
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatClientException

from bot.catalogue import MenuGroup, MenuItem
from bot.config import Config, ConfigError, read_config
from bot.knowledge import KnowledgeError, load

GROUPS, ITEMS = 3, 5
NAME_BYTES, ITEM_BYTES, KEY_BYTES, URL_BYTES = 16, 60, 128, 1024
NAME_SHOWN, ITEM_SHOWN = 4, 8
"""So many Chinese characters of a name a phone shows; the rest becomes dots."""

SECONDS = 10

REMEDIES = {
    40013: "WECHAT_APP_ID 不对",
    40125: "WECHAT_APP_SECRET 不对，或者已经重置过",
    40164: "这台机器的 IP 不在公众号后台的“IP 白名单”里",
    48001: "这个公众号没有自定义菜单接口（未认证的订阅号没有）：在公众号后台手工设菜单",
}

Menu = tuple[MenuGroup, ...]


def problems(menu: Menu) -> Iterator[str]:
    """Yield, in Chinese, what WeChat would refuse."""
    if not 1 <= len(menu) <= GROUPS:
        yield f"一级菜单有 {len(menu)} 个，要 1 到 {GROUPS} 个"
    for group in menu:
        yield from _too_long("一级菜单", group.name, NAME_BYTES)
        if not 1 <= len(group.items) <= ITEMS:
            yield f"「{group.name}」下面有 {len(group.items)} 个，要 1 到 {ITEMS} 个"
        for item in group.items:
            yield from _too_long("子菜单", item.text, ITEM_BYTES)
            kind, most = ("网址", URL_BYTES) if _is_url(item) else ("编号", KEY_BYTES)
            yield from _too_long(kind, item.target, most)


def notices(menu: Menu) -> Iterator[str]:
    """Yield, in Chinese, what a phone would not show whole."""
    for group in menu:
        if len(group.name) > NAME_SHOWN:
            yield f"「{group.name}」{len(group.name)}个字，手机上只显示前 {NAME_SHOWN} 个"
        for item in group.items:
            if len(item.text) > ITEM_SHOWN:
                yield f"「{item.text}」{len(item.text)}个字，手机上只显示前 {ITEM_SHOWN} 个"


def buttons(menu: Menu) -> dict[str, Any]:
    """Return the menu as WeChat's interface wants it."""
    return {"button": [{"name": group.name, "sub_button": [_button(item) for item in group.items]} for group in menu]}


def publish(client: WeChatClient, menu: Menu) -> str:
    """Put the menu online; return what went wrong in Chinese, empty when nothing did."""
    try:
        client.menu.create(buttons(menu))
    except WeChatClientException as error:
        return f"微信不接受（{error.errcode}）：{REMEDIES.get(error.errcode, error.errmsg)}"
    except requests.RequestException as error:
        # Only its kind: the message may hold the address, and the address the secret.
        return f"连不上微信：{type(error).__name__}"
    return ""


def show(menu: Menu) -> str:
    """Return the menu as a person reads it."""
    lines = []
    for group in menu:
        lines += [group.name, *(f"  {item.text} → {item.target}" for item in group.items)]
    return "\n".join(lines)


def main() -> int:
    """Show and check the menu; publish it unless told not to. Return 1 when it is not fit or not published."""
    parser = argparse.ArgumentParser(description="显示、检查、发布公众号菜单")
    parser.add_argument("--dry-run", action="store_true", help="只显示和检查，不联网")
    options = parser.parse_args()
    try:
        config = read_config()
        menu = load(config.knowledge_dir, date.today()).menu
    except (ConfigError, KnowledgeError) as error:
        return _fail(str(error))
    print(show(menu))
    print(*(f"提醒：{notice}" for notice in notices(menu)), sep="\n")
    if found := list(problems(menu)):
        return _fail("\n".join(found))
    if options.dry_run:
        print("检查通过（没有发布）")
        return 0
    return _publish(config, menu)


def _publish(config: Config, menu: Menu) -> int:
    if not (config.wechat_app_id and config.wechat_app_secret):
        return _fail("要发布先设 WECHAT_APP_ID 和 WECHAT_APP_SECRET；只想检查加 --dry-run")
    client = WeChatClient(config.wechat_app_id, config.wechat_app_secret, timeout=SECONDS)
    if failure := publish(client, menu):
        return _fail(failure)
    print("已发布。手机上最迟24小时内更新；想马上看到，取消关注再关注")
    return 0


def _button(item: MenuItem) -> dict[str, str]:
    if _is_url(item):
        return {"type": "view", "name": item.text, "url": item.target}
    return {"type": "click", "name": item.text, "key": item.target}


def _is_url(item: MenuItem) -> bool:
    return item.target.startswith(("http://", "https://"))


def _too_long(what: str, text: str, most: int) -> Iterator[str]:
    if (size := len(text.encode())) > most:
        yield f"{what}「{text}」{size}字节，最多{most}字节（一个汉字3字节）"


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
