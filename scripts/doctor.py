"""Looks at an installation and says what to mend: settings, folders, database, clock, knowledge, WeChat."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
import sqlalchemy as sa
from wechatpy import WeChatClient
from wechatpy.exceptions import WeChatException

from bot.config import Config, ConfigError, read_config, read_secret
from bot.knowledge import KnowledgeError, load
from bot.storage.store import Store

LEAST_ROOM = 500 * 1024 * 1024
"""Free bytes of the data folder's disk below which somebody must look."""

SLOW_SECONDS = 0.5
SKEW_SECONDS = 60.0
"""How wrong the clock may be: half an hour of memory and WeChat's times run on it."""

LEAST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; ``mend`` says what to do, empty when all is well."""

    part: str
    what: str
    mend: str = ""
    fatal: bool = True


Check = Callable[[Config], Iterator[Finding]]


def main() -> int:
    """Print a line for each part; return 1 when something keeps the bot from working well."""
    parser = argparse.ArgumentParser(description="检查这台机器上的机器人装好没有")
    parser.add_argument("--online", action="store_true", help="也联网：对时钟、试微信的 AppSecret")
    options = parser.parse_args()
    findings = list(examine(options.online))
    for finding in findings:
        sign = "✓" if not finding.mend else ("✗" if finding.fatal else "！")
        print(f"{sign} {finding.part}：{finding.what}" + (f"\n    → {finding.mend}" if finding.mend else ""))
    bad = sum(bool(finding.mend) and finding.fatal for finding in findings)
    print("都好" if not bad else f"{bad} 处要修")
    return 1 if bad else 0


def examine(online: bool) -> Iterator[Finding]:
    """Yield what each part is like."""
    try:
        config = read_config()
    except ConfigError as error:
        yield Finding("设置", str(error), "改 .env 或环境变量里说的那一项")
        return
    yield Finding("设置", "读得懂")
    checks: list[Check] = [_secret, _folders, _room, _database, _knowledge, _face, _wechat]
    if online:
        checks += [_clock, _wechat_account]
    for check in checks:
        yield from check(config)


def _secret(config: Config) -> Iterator[Finding]:
    if config.secret_key and len(config.secret_key) < LEAST_SECRET:
        yield Finding("密钥", "SECRET_KEY 太短，猜得出来", f"换成至少{LEAST_SECRET}个随机字符；换了以后以前的人就认不出了")
        return
    if not config.secret_key and not config.database.startswith("sqlite"):
        yield Finding("密钥", "几台机器共用数据库，却没设 SECRET_KEY", "每台机器设同一个 SECRET_KEY，否则认不出同一个人")
        return
    path = config.data_dir / "secret.key"
    if os.name != "nt" and path.exists() and path.stat().st_mode & 0o077:
        yield Finding("密钥", f"{path} 别的用户也能读", f"chmod 600 {path}")
        return
    yield Finding("密钥", "有，别人读不到")


def _folders(config: Config) -> Iterator[Finding]:
    try:
        config.data_dir.mkdir(parents=True, exist_ok=True)
        probe = config.data_dir / f".doctor-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        who = f"chown -R 运行机器人的用户 {config.data_dir}"
        yield Finding("数据文件夹", f"{config.data_dir} 写不进去（{error.strerror}）", who)
        return
    yield Finding("数据文件夹", f"{config.data_dir} 能写")
    waiting = sum(path.stat().st_size for path in (config.data_dir / "spool").glob("*"))
    if waiting:
        mend = "数据库好了、机器人开着，一秒内就会自己补写"
        yield Finding("暂存", f"有 {waiting} 字节等着写进数据库", mend, fatal=False)


def _room(config: Config) -> Iterator[Finding]:
    folder = next(folder for folder in (config.data_dir, *config.data_dir.parents) if folder.exists())
    free = shutil.disk_usage(folder).free
    mend = "腾出空间；RETENTION_DAYS 设短些再运行 scripts/purge.py" if free < LEAST_ROOM else ""
    yield Finding("磁盘", f"还有 {free // 2**20} MB", mend)


def _database(config: Config) -> Iterator[Finding]:
    started = time.monotonic()
    try:
        store = Store(config.database, read_secret(config))
        with store.engine.begin() as connection:
            turns = connection.execute(sa.text("select count(*) from turns")).scalar_one()
        store.close()
    except (sa.exc.SQLAlchemyError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        yield Finding("数据库", f"用不了：{cause}".strip(), "看 DATABASE_URL 对不对、数据库开着没有、用户有没有建表的权限")
        return
    seconds = time.monotonic() - started
    mend = "数据库太慢：看网络和磁盘" if seconds > SLOW_SECONDS * 4 else ""
    yield Finding("数据库", f"能写，{turns} 条记录，{seconds:.1f} 秒", mend, fatal=False)


def _knowledge(config: Config) -> Iterator[Finding]:
    try:
        knowledge = load(config.knowledge_dir, datetime.now(UTC).date())
    except KnowledgeError as error:
        lines = str(error).splitlines()
        yield Finding("知识库", f"{lines[0]}（共 {len(lines)} 行）", "运行 python3 scripts/check.py，按行号改")
        return
    yield Finding("知识库", f"{len(knowledge.entries)} 条，版本 {knowledge.version}")


def _face(config: Config) -> Iterator[Finding]:
    outward = config.host not in ("127.0.0.1", "localhost", "::1")
    if outward and not config.trusted_proxies:
        mend = "前面放 nginx（scripts/deploy/nginx.conf），HOST 改回 127.0.0.1，TRUSTED_PROXIES=1"
        yield Finding("网络", f"直接对外开放 {config.host}:{config.port}，没有 HTTPS", mend, fatal=False)
    elif config.public_url and not config.trusted_proxies:
        mend = "前面有代理就设 TRUSTED_PROXIES=1，否则所有人算一个来源一起限速"
        yield Finding("网络", "设了 PUBLIC_URL，没设 TRUSTED_PROXIES", mend, fatal=False)
    else:
        yield Finding("网络", f"{config.host}:{config.port}，信任 {config.trusted_proxies} 层代理")


def _wechat(config: Config) -> Iterator[Finding]:
    if not config.wechat_on:
        yield Finding("微信", "没开", "要开就设 WECHAT_TOKEN，见 README“接入微信公众号”", fatal=False)
    elif not config.wechat_aes_key:
        mend = "公众号后台选安全模式，设 WECHAT_APP_ID 和 WECHAT_AES_KEY"
        yield Finding("微信", "明文模式：消息没有签名保护", mend, fatal=False)
    else:
        yield Finding("微信", "安全模式")


def _clock(config: Config) -> Iterator[Finding]:
    """Compare the clock with a web server's, to a second; that of WeChat, which is the one that counts."""
    del config
    try:
        told = requests.head("https://api.weixin.qq.com/", timeout=5).headers["Date"]
    except (requests.RequestException, KeyError):
        yield Finding("时钟", "连不上 api.weixin.qq.com，没法对", "看网络和 DNS", fatal=False)
        return
    skew = abs((datetime.now(UTC) - parsedate_to_datetime(told)).total_seconds())
    yield Finding("时钟", f"差 {skew:.0f} 秒", "打开自动校时（timedatectl set-ntp true）" if skew > SKEW_SECONDS else "")


def _wechat_account(config: Config) -> Iterator[Finding]:
    if not (config.wechat_app_id and config.wechat_app_secret):
        return
    try:
        WeChatClient(config.wechat_app_id, config.wechat_app_secret, timeout=5).fetch_access_token()
    except requests.RequestException as error:
        yield Finding(
            "微信账号", f"拿不到 access_token（{type(error).__name__}）", "连不上 api.weixin.qq.com：看网络和 DNS", fatal=False
        )
        return
    except WeChatException as error:
        mend = "40013/40125：AppID 或 AppSecret 不对；40164：把这台机器的外网 IP 加进后台的 IP 白名单"
        yield Finding("微信账号", f"拿不到 access_token（{error.errcode}）", mend)
        return
    yield Finding("微信账号", "AppID、AppSecret 对，IP 在白名单里")


if __name__ == "__main__":
    sys.exit(main())
