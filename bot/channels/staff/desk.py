"""What the staff's pages are handed, and no more of the bot than this."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from bot.catalogue import Knowledge
from bot.curation.staffing import Copy, Listed, Preview, Published, Report, Sheet, State, Trouble


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

    def why(self, text: str) -> list[str]:
        """Return the lines that say why a question is answered as it is."""
        ...

    def report(self, days: int) -> Report:
        """Return what the turns of the last days say."""
        ...

    def files(self) -> list[Listed]:
        """Return every file that can be edited."""
        ...

    def sheet(self, path: str) -> Sheet | None:
        """Return a file for editing; None when there is none of that name."""
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
