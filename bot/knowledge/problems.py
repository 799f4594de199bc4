"""What can be wrong with the knowledge base, told to staff as ``path:line: what is wrong and how to mend it``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing to mend; a ``notice`` is worth knowing but keeps nothing from going live."""

    path: str
    line: int
    text: str
    notice: bool = False

    def __str__(self) -> str:
        """Return the line that staff read."""
        return f"{self.path}:{self.line}: {'提醒：' if self.notice else ''}{self.text}"


class KnowledgeError(Exception):
    """The knowledge base cannot go live; ``problems`` has every reason, sorted by place."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(map(str, self.problems)))


class Report:
    """Collects problems while files are read, so that all are told at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, path: str, line: int, text: str) -> None:
        """Note something that must be mended."""
        self.problems.append(Problem(path, line, text))

    def notice(self, path: str, line: int, text: str) -> None:
        """Note something worth knowing."""
        self.problems.append(Problem(path, line, text, notice=True))

    @property
    def errors(self) -> list[Problem]:
        """Return the problems that keep the knowledge base from going live."""
        return [problem for problem in self.problems if not problem.notice]
