"""Deletes turns and conversations older than RETENTION_DAYS; a running bot does so by itself once a day."""

from __future__ import annotations

import _venv

_venv.ensure()

import argparse
import sys
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from bot.config import ConfigError, read_config, read_secret
from bot.logs import set_up
from bot.storage.housekeeping import purge
from bot.storage.store import Store


def main() -> int:
    """Delete what is old and say how much that was; return the exit code."""
    parser = argparse.ArgumentParser(description="删除超过保存期限的记录")
    parser.add_argument("--days", type=int, help="保存多少天（默认按设置 RETENTION_DAYS）")
    options = parser.parse_args()
    set_up()
    try:
        config = read_config()
        days = config.retention_days if options.days is None else options.days
        store = Store(config.database, read_secret(config))
        count = purge(store, days, datetime.now(UTC))
        store.close()
    except ConfigError as error:
        sys.exit(str(error))
    except SQLAlchemyError as error:
        sys.exit(f"数据库连不上或用不了：{type(error).__name__}。运行 scripts/doctor.py 看怎么修")
    print(f"删除了 {count} 条超过 {days} 天的记录")
    return 0


if __name__ == "__main__":
    sys.exit(main())
