"""Which run a log line belongs to: the run's id goes along with the run, into the threads that it starts too."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import ParamSpec

P = ParamSpec("P")

_current: ContextVar[str] = ContextVar("run_id", default="")
_MARK = "_of_run"


@contextmanager
def lines_of(run_id: str) -> Iterator[None]:
    """Let every log line in here be one of this run."""
    token = _current.set(run_id)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def running(run_id: str) -> Iterator[None]:
    """The same; an error that leaves it stays marked as one of this run, see `run_of`."""
    with lines_of(run_id):
        try:
            yield
        except BaseException as error:
            vars(error).setdefault(_MARK, run_id)
            raise


def current_run() -> str:
    """The id of the run that is under way here, "" outside of one."""
    return _current.get()


def run_of(error: BaseException) -> str:
    """The id of the run that an error came out of, "" where there was none."""
    return str(vars(error).get(_MARK, ""))


def in_this_run(work: Callable[P, None]) -> Callable[P, None]:
    """`work` for another thread. A thread begins without its maker's context, so its lines would be of no run."""
    context = copy_context()

    def start(*args: P.args, **kwargs: P.kwargs) -> None:
        context.run(work, *args, **kwargs)

    return start


class RunId(logging.Filter):
    """Gives each record the id of its run as `run_id`, "" outside of one. For handlers: the record's own thread asks."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.run_id = _current.get()
        return True
