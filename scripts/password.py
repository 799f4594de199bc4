"""Makes the setting for the staff's password: asks for it twice, prints the line for ``.env``."""

from __future__ import annotations

import _venv

_venv.ensure()

import getpass
import sys

from werkzeug.security import generate_password_hash

SHORTEST = 10
"""One password guards every answer: a shorter one is guessed."""


def main() -> int:
    """Ask for the password and print its hash; return 1 when it will not do."""
    asked = sys.stdin.isatty()
    first = getpass.getpass("工作台的密码（至少10个字，不显示）：") if asked else sys.stdin.readline().strip()
    if len(first) < SHORTEST:
        print(f"太短了，至少{SHORTEST}个字", file=sys.stderr)
        return 1
    if asked and getpass.getpass("再打一次：") != first:
        print("两次不一样", file=sys.stderr)
        return 1
    print("把下面这一行放进 .env，然后重启：", file=sys.stderr)
    print(f"STAFF_PASSWORD_HASH='{generate_password_hash(first)}'")
    return 0


if __name__ == "__main__":
    sys.exit(main())
