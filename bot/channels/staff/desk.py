"""What the staff's pages are handed, and no more of the bot than this."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime
from typing import Protocol

from bot.catalogue import Knowledge
from bot.curation.staffing import Copy, Explained, Listed, Missed, Preview, Published, Report, Sheet, State, Trouble


class StaffDesk(Protocol):
    """The commands behind the pages; ``path`` is a file relative to the knowledge folder, as ``files`` lists it."""

    @property
    def knowledge(self) -> Knowledge:
        """The knowledge base that answers now."""
        ...

    @property
    def state(self) -> State:
        """How the knowledge base stands."""
        ...

    def may_try(self, address: str, at: datetime) -> bool:
        """Count an attempt to log in; False when there were too many."""
        ...

    def logged_in(self, address: str) -> None:
        """Forget the attempts of an address."""
        ...

    def guide(self) -> str:
        """Return what staff are told about writing, Markdown; empty when there is none."""
        ...

    def why(self, text: str) -> Explained:
        """Return why a question is answered as it is."""
        ...

    def missed(self, days: int) -> Missed:
        """Return what could not be answered in the last days."""
        ...

    def count(self, days: int) -> int:
        """Return how many turns the last days have."""
        ...

    def report(self, days: int) -> Generator[int, None, Report]:
        """Yield how many turns are read; return what those of the last days say."""
        ...

    def csv(self, found: Report) -> str:
        """Return a report's clusters as a table for a spreadsheet."""
        ...

    def xlsx(self, found: Report) -> bytes:
        """Return a report as a spreadsheet."""
        ...

    def files(self) -> list[Listed]:
        """Return every file that can be edited."""
        ...

    def sheet(self, path: str) -> Sheet | None:
        """Return a file for editing; None when there is none of that name."""
        ...

    def blank(self, path: str) -> Sheet | None:
        """Return an empty sheet for a new file; None when there may be none of that name, or there is one."""
        ...

    def draft(self, examples: Sequence[str]) -> str:
        """Return a file for a new service that answers these questions: all but the answer."""
        ...

    def check(self, path: str, text: str) -> tuple[Trouble, ...]:
        """Return what is wrong in the file with this text, fast enough while typing."""
        ...

    def preview(self, path: str, text: str, days: int) -> Preview:
        """Return what the draft would make and change; ``days`` of logged questions are compared, too."""
        ...

    def publish(self, path: str, text: str, mark: str) -> Published:
        """Put a draft in place if it breaks nothing; OSError or TimeoutError when it cannot be written."""
        ...

    def copies(self, path: str) -> tuple[Copy, ...]:
        """Return what the file was before, the newest first."""
        ...

    def undo(self, path: str, name: str, mark: str) -> Published | None:
        """Put a copy back in place; None when there is no such copy."""
        ...
