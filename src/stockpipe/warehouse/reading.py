"""What somebody asks of the tables in SQL of their own, and what is said of a text that is not one reading statement."""

from __future__ import annotations

from stockpipe.errors import UsageError, WarehouseError
from stockpipe.warehouse.base import QueryResult, Warehouse


def ask(warehouse: Warehouse, text: str) -> QueryResult:
    """The answer to a statement that a person wrote.

    UsageError when the statement itself is to blame, in any warehouse: it is mistyped, asks for what does not exist, or
    does not only read. Else what `Warehouse.query` raises.
    """
    try:
        return warehouse.query(text)
    except WarehouseError as error:
        if error.mistaken:
            raise UsageError(error.message, hint=error.hint) from error
        raise


def no_statement() -> UsageError:
    """For an empty text, or one of comments only."""
    return UsageError("There is no statement to run.", hint='Ask like this: stockpipe query "SHOW TABLES".')


def many_statements() -> UsageError:
    """For more than one."""
    return UsageError("There is more than one statement.", hint="Ask for one at a time.")


def writing(why: str, hint: str) -> WarehouseError:
    """For one that does not only read: `why` says so in a sentence without its full stop."""
    return WarehouseError(f"stockpipe query is read-only: {why}.", hint=hint, mistaken=True)


def not_run(word: str, hint: str) -> WarehouseError:
    """For a statement that begins with another word than those that read."""
    return WarehouseError(f"stockpipe query is read-only; it does not run {word}.", hint=hint, mistaken=True)
