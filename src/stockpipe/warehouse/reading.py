"""What `stockpipe query` says of a text that is not one statement that only reads, whatever the warehouse."""

from __future__ import annotations

from stockpipe.errors import UsageError, WarehouseError


def no_statement() -> UsageError:
    """For an empty text, or one of comments only."""
    return UsageError("There is no statement to run.", hint='Ask like this: stockpipe query "SHOW TABLES".')


def many_statements() -> UsageError:
    """For more than one."""
    return UsageError("There is more than one statement.", hint="Ask for one at a time.")


def writing(why: str, hint: str) -> WarehouseError:
    """For one that does not only read: `why` says so in a sentence without its full stop."""
    return WarehouseError(f"stockpipe query is read-only: {why}.", hint=hint)


def not_run(word: str, hint: str) -> WarehouseError:
    """For a statement that begins with another word than those that read."""
    return WarehouseError(f"stockpipe query is read-only; it does not run {word}.", hint=hint)
