"""Puts an edited file of the knowledge base in place, keeps what it was before, and commits it where there is git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from bot.curation.staffing import Copy, Sheet
from bot.files import alone, write_atomically

LOCK_SECONDS = 30.0
"""So long somebody else may take to publish."""

GIT_SECONDS = 20
MOST_COPIES = 50
STAMP = "%Y%m%dT%H%M%S%fZ"


def decoded(content: bytes) -> str:
    """Return a file's text with plain line ends; what is no UTF-8 is read as GBK, so that publishing mends it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", "replace")
    return plain(text)


def plain(text: str) -> str:
    """Return a text as files have it: line feeds, one at the end, no NUL; forms send CR LF."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    return lines.rstrip("\n") + "\n"


def mark(content: bytes) -> str:
    """Return what a file's content is recognised by."""
    return sha256(content).hexdigest()[:16]


class Archive:
    """A knowledge folder that is written to, and the copies in the data folder."""

    def __init__(self, folder: Path, data: Path) -> None:
        self._folder = folder
        self._copies = data / "backups"
        self._lock = data / "publish.lock"

    def sheet(self, path: str) -> Sheet:
        """Return a file as it is now; text and mark are empty where there is none.

        Raises OSError when it cannot be read.
        """
        try:
            content = (self._folder / path).read_bytes()
        except FileNotFoundError:
            return Sheet(path, "", "")
        return Sheet(path, decoded(content), mark(content))

    def write(self, path: str, text: str, at: datetime) -> None:
        """Keep a copy of a file (an empty one where there is none) and put the new text in its place, whole.

        No text takes the file away. Raises OSError when the disk is full or may not be written: then the file is as before.
        """
        target = self._folder / path
        before = target.read_bytes() if target.exists() else b""
        write_atomically(self._copies / path / f"{at.astimezone(UTC).strftime(STAMP)}.md", before)
        if text:
            write_atomically(target, text.encode("utf-8", "replace"))
        else:
            target.unlink(missing_ok=True)
        for old in self._files(path)[MOST_COPIES:]:
            old.unlink(missing_ok=True)

    def copies(self, path: str) -> tuple[Copy, ...]:
        """Return the copies of a file, the newest first."""
        return tuple(
            Copy(file.stem, datetime.strptime(file.stem, STAMP).replace(tzinfo=UTC), not file.stat().st_size)
            for file in self._files(path)
        )

    def copy(self, path: str, name: str) -> str | None:
        """Return a copy's text, empty when there was no file; None when there is no copy of that name."""
        file = next((file for file in self._files(path) if file.stem == name), None)
        content = file.read_bytes() if file is not None else None
        return decoded(content) if content else ("" if file is not None else None)

    def commit(self, path: str, message: str) -> str:
        """Commit one file where the folder is in a git work tree; return what went wrong, empty when nothing did."""
        if self._git("rev-parse", "--is-inside-work-tree").returncode:
            return ""
        if self._git("add", "--", path).returncode:
            return "已保存，但没能记进 git（git add 不成功）"
        if not self._git("diff", "--cached", "--quiet", "--", path).returncode:
            return ""
        done = self._git(*self._identity(), "commit", "--quiet", "--no-verify", "-m", message, "--", path)
        return "已保存，但没能记进 git（git commit 不成功）" if done.returncode else ""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder against other publishers, in this process and in others.

        Raises TimeoutError when one of them does not come to an end.
        """
        with alone(self._lock, LOCK_SECONDS):
            yield

    def _files(self, path: str) -> list[Path]:
        return sorted((self._copies / path).glob("*.md"), reverse=True)

    def _identity(self) -> list[str]:
        """Return who commits, for a machine where git was never told."""
        if self._git("config", "user.email").stdout.strip():
            return []
        return ["-c", "user.name=staff desk", "-c", "user.email=staff@localhost"]

    def _git(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        command = ["git", "-C", str(self._folder), *words]
        try:
            return subprocess.run(  # noqa: S603 - fixed words and a path from the list of files
                command, capture_output=True, text=True, check=False, timeout=GIT_SECONDS, env=environment
            )
        except (OSError, subprocess.TimeoutExpired):
            return subprocess.CompletedProcess(command, 1, "", "")
