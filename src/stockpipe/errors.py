"""What can go wrong, grouped by what to do next. One branch, one exit code.

StockpipeError            1    something we did not foresee
├── UsageError            2    correct the command
├── ConfigError           3    correct a setting
├── AccessError           4    correct the key, the password or the plan
│   └── OutOfReach        4    the key's plan does not reach back to that day
├── ApiError              5    the API or the way to it; run again later
│   ├── CursorRefused     5    the API no longer takes its own cursor; the walk starts again
│   └── NotYet            5    the API has not got that day yet
├── WarehouseError        6    the warehouse or the way to it
│   └── NotThere          6    what was asked for does not exist yet
├── DataCheckError        7    the day could not be verified; look at the data
└── Interrupted         130    somebody stopped the run (143 for SIGTERM)

Every error carries two texts: the message (what happened, with which value) and the hint (what to do next). `transient`
says whether its cause may be gone in an hour without anybody doing anything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable


class StockpipeError(Exception):
    """The root: an error whose text is written for the user."""

    exit_code = 1
    transient = True

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change both texts, such as to hide a secret in them."""
        self.message, self.hint = change(self.message), change(self.hint)
        self.args = (self.message,)


class UsageError(StockpipeError):
    """A command or a Python call with arguments that make no sense."""

    exit_code = 2
    transient = False


class ConfigError(StockpipeError):
    """A setting is missing, or has a value that cannot be used."""

    exit_code = 3
    transient = False


def not_installed(error: ModuleNotFoundError) -> ConfigError:
    """What to do about a package that this Python does not have."""
    return ConfigError(
        f"The package {error.name} is not installed for {sys.executable}.",
        hint="Install what stockpipe needs (pip install -r requirements.txt), or use the Python that has it: "
        "make demo puts one into .venv.",
    )


class AccessError(StockpipeError):
    """The key, the password or the plan was refused; a retry does not help."""

    exit_code = 4
    transient = False


class OutOfReach(AccessError):
    """The key's plan does not reach back to the day that was asked for."""


class ApiError(StockpipeError):
    """The API answered badly, or not at all, for longer than we are ready to try."""

    exit_code = 5


class CursorRefused(ApiError):
    """The API answered 400 to a cursor that it gave itself: the walk must start again from its first page."""


class NotYet(ApiError):
    """The day that was asked for is not over, or the API does not give it to this plan yet; in some hours it does."""


class WarehouseError(StockpipeError):
    """The warehouse could not be reached, or refused a statement.

    `mistaken` says that the statement itself is to blame: it is mistyped, asks for what does not exist, or does not only
    read.
    """

    exit_code = 6

    def __init__(self, message: str, *, hint: str = "", mistaken: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.mistaken = mistaken


class NotThere(WarehouseError):
    """A file or a table that was asked about does not exist, or this role may not see it."""


class DataCheckError(StockpipeError):
    """The day is not complete, not unique or not plausible, so it was not published.

    `checks` names the checks that refused. It is transient when all of them are `RENEWED`.
    """

    exit_code = 7
    RENEWED = frozenset({"stale", "torn"})
    """Checks whose cause is gone when the vendor has renewed its list."""

    def __init__(self, message: str, *, hint: str = "", checks: Iterable[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.checks = frozenset(checks)
        self.transient = bool(self.checks) and self.checks <= self.RENEWED


class Interrupted(StockpipeError):
    """The run was stopped from outside; nothing was published."""

    exit_code = 130

    def __init__(self, message: str, *, hint: str = "", exit_code: int = 130) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code


def exit_code_of(error: BaseException) -> int:
    """The exit code that an error means: 1 for one that nobody foresaw."""
    return error.exit_code if isinstance(error, StockpipeError) else StockpipeError.exit_code
