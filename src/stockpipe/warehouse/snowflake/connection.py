"""One session at Snowflake, opened when it is first needed: statements go in, rows or a refusal with its remedy come out."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from stockpipe.base.days import in_words
from stockpipe.base.waiting import told_if_slow
from stockpipe.errors import ConfigError, NotThere, StockpipeError, WarehouseError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.base import QueryResult
from stockpipe.warehouse.snowflake.answers import result_of
from stockpipe.warehouse.snowflake.parameters import time_limits
from stockpipe.warehouse.snowflake.privileges import (
    does_not_resume,
    hidden_schema,
    lacking,
    or_granted,
    stored_role,
    unseen,
    wanted_privilege,
)
from stockpipe.warehouse.snowflake.reading import first_word
from stockpipe.warehouse.snowflake.refusals import DOES_NOT_EXIST, INSUFFICIENT, NO_WAREHOUSE, is_mistaken, of_statement
from stockpipe.warehouse.snowflake.session import error_text, open_session, session_plan
from stockpipe.warehouse.snowflake.statements import shortened

log = logging.getLogger(__name__)

_LAST_WORDS = 60
_UNPUBLISHED = "Nothing of this run was published; check the role's privileges."


class Connection:
    """The session of a warehouse, with the run's deadline. `prefix` is the quoted database and schema, a dot behind.

    Who only `reads` waits less for the service.
    """

    def __init__(self, settings: Settings, *, reads: bool = False) -> None:
        self._settings = settings
        self._reads = reads
        self.database = sql.identifier(settings.require("SNOWFLAKE_DATABASE"), "SNOWFLAKE_DATABASE")
        schema = sql.identifier(settings.require("SNOWFLAKE_SCHEMA"), "SNOWFLAKE_SCHEMA")
        self.prefix = f"{self.database}.{schema}."
        self._sign_in = session_plan(settings, reads=reads)
        self._seconds = settings.number("STOCKPIPE_DEADLINE", least=1)
        self._deadline = time.monotonic() + self._seconds
        self._session: Any = None
        self.run_id = ""

    @property
    def schema(self) -> str:
        """The quoted name of the schema, with its database."""
        return self.prefix.rstrip(".")

    @property
    def is_open(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    @property
    def seconds_left(self) -> int:
        """Seconds until the run's deadline, at least one."""
        return max(1, int(self._deadline - time.monotonic()))

    def begin(self, run_id: str) -> None:
        """Give the next statements the run's id as query tag, and the run its time."""
        self._deadline = time.monotonic() + self._seconds
        self.run_id, self._sign_in = run_id, session_plan(self._settings, run_id, reads=self._reads)
        if self.is_open:
            self.run(f"ALTER SESSION SET QUERY_TAG = 'stockpipe {run_id}'")

    def open(self) -> None:
        """Sign in, unless that was done. ConfigError when the session gets no database."""
        if self.is_open:
            return
        log.info("Connecting to Snowflake...")
        self._session = open_session(self._sign_in)
        log.info("Connected to Snowflake successfully!")
        if not self._session.database:
            raise self.no_database()

    def close(self) -> None:
        """End the session; nothing happens when there is none."""
        if self._session is not None:
            session, self._session = self._session, None
            try:
                session.close()
            except Exception as error:  # noqa: BLE001 - the work is done; a failing goodbye must not hide that
                log.debug("closing the session failed: %s", error)
            log.info("Snowflake connection closed")

    def must_compute(self) -> None:
        """WarehouseError where the session has no warehouse: the service drops a name that the role may not use, without
        a word. Nothing wakes for the question."""
        given = self._settings.get("SNOWFLAKE_WAREHOUSE")
        role, warehouse = self._in_use()
        # A service that does not tell the role need not tell the warehouse.
        if warehouse is not None or role is None:
            return
        role = stored_role(self._settings.get("SNOWFLAKE_ROLE"), role)
        if given:
            message = f"The warehouse {given} does not exist, or the role {role} may not use it."
            raise WarehouseError(
                message, hint=or_granted("Correct SNOWFLAKE_WAREHOUSE", f"USAGE ON WAREHOUSE {given}", role)
            )
        message = "SNOWFLAKE_WAREHOUSE is not set, and the user has no default warehouse: nothing could be published."
        raise WarehouseError(message, hint=f"Set SNOWFLAKE_WAREHOUSE to a compute warehouse that {role} may use.")

    def _in_use(self) -> tuple[Any, Any]:
        """Role and warehouse as the service has them. Connector 5 repeats what it was given, so the service is asked."""
        import snowflake.connector

        if int(snowflake.connector.__version__.partition(".")[0]) < 5:
            return self._session.role, self._session.warehouse
        return tuple(self.run("SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE()")[0])

    def no_database(self) -> ConfigError:
        """That the session's database is not there for it."""
        return ConfigError(
            f"The database {self.database} does not exist, or the role may not use it.",
            hint=f"Check SNOWFLAKE_DATABASE and SNOWFLAKE_ROLE, or make it: stockpipe init --create (CREATE DATABASE {self.database}).",
        )

    def hidden_schema(self, error: WarehouseError, *, makes: bool) -> WarehouseError:
        """That the schema is not there for the role; `makes` says that the role may create one."""
        message = f"The schema {self.schema} does not exist, or the role may not use it: {error.message}"
        return WarehouseError(message, hint=hidden_schema(self.schema, self._role, makes=makes))

    @property
    def _role(self) -> str | None:
        return stored_role(self._settings.get("SNOWFLAKE_ROLE"), self._session.role)

    def run(
        self, statement: str, values: Sequence[Any] | None = None, hint: str = _UNPUBLISHED
    ) -> list[tuple[Any, ...]]:
        """The rows of a statement. WarehouseError when it is refused, with `hint` where nothing better is known."""
        return self.ask(statement, values, hint).rows

    def ask(self, statement: str, values: Sequence[Any] | None = None, hint: str = _UNPUBLISHED) -> QueryResult:
        """A statement's columns and rows, of which a long answer's come from a storage of their own."""
        import snowflake.connector

        log.debug("%s", shortened(statement))
        try:
            with self._told_if_slow():
                cursor = self._session.cursor().execute(
                    statement,
                    tuple(values) if values else None,
                    # What ends a run, a COMMIT or a record, gets its minute also when the deadline has passed.
                    _statement_params=time_limits(max(_LAST_WORDS, self.seconds_left), self.seconds_left),
                )
                return result_of(cursor)
        except (snowflake.connector.Error, OSError) as error:  # a lost download may be either
            raise self._refused(error, statement, hint) from error

    def _told_if_slow(self) -> AbstractContextManager[None]:
        """A run tells what it does; who reads may wait for a warehouse that wakes or is busy, or for a long answer."""
        if not self._reads:
            return nullcontext()
        return told_if_slow(f"Waiting for Snowflake's answer, up to {in_words(self.seconds_left)}.")

    def roll_back(self) -> None:
        """End the transaction without effect; one that cannot be told ends with its session."""
        try:
            self.run("ROLLBACK")
        except StockpipeError as error:
            log.debug("ROLLBACK failed; the service rolls back when the session ends: %s", error)

    def _refused(self, error: Any, statement: str, hint: str) -> WarehouseError:
        """What a refused statement means for the user: a missing privilege is named with its GRANT, else `hint` stands."""
        role = self._role
        privilege = wanted_privilege(statement, self.schema, self.database)
        if error.errno == INSUFFICIENT and privilege:
            hint = lacking(privilege, role)
        elif error.errno == DOES_NOT_EXIST and privilege:
            hint = unseen(privilege, role)
        elif error.errno == NO_WAREHOUSE:
            hint = self._without_warehouse(role)
        else:
            hint = of_statement(error.errno, error_text(error)) or hint
        kind = NotThere if error.errno == DOES_NOT_EXIST else WarehouseError
        message = f"Snowflake refused {first_word(statement)}: {error_text(error)}"
        return kind(message, hint=hint, mistaken=is_mistaken(error.errno, getattr(error, "sqlstate", None)))

    def _without_warehouse(self, role: str | None) -> str:
        if warehouse := self._session.warehouse:
            return does_not_resume(warehouse, role)
        return or_granted("Set SNOWFLAKE_WAREHOUSE", "USAGE ON WAREHOUSE ...", role)


def number_of(error: WarehouseError) -> int | None:
    """The service's number for a refusal, None where there is none."""
    return getattr(error.__cause__, "errno", None)
