"""What follows a load: the build of the security master, where STOCKPIPE_MASTER asks for it, and the factors of prices."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import closing
from typing import TYPE_CHECKING

from stockpipe.base.clock import Clock
from stockpipe.base.stopping import as_interrupt
from stockpipe.datasets import TICKERS, Part
from stockpipe.errors import StockpipeError
from stockpipe.master.asked import is_asked_for
from stockpipe.models import PRICED, keep_factors
from stockpipe.settings import Settings
from stockpipe.warehouse import open_warehouse

if TYPE_CHECKING:
    from stockpipe.master.build import Built

log = logging.getLogger(__name__)

_LISTED = TICKERS.parts({"market": "stocks", "active": "true"})


def _wants_master(settings: Settings, parts: Iterable[Part]) -> bool:
    """Whether STOCKPIPE_MASTER asks for a build after these parts were published: the listed stocks are among them."""
    return is_asked_for(settings) and any(part in _LISTED for part in parts)


def build_after(settings: Settings, clock: Clock, parts: Iterable[Part], *, loaded: str = "The day is loaded") -> int:
    """Build the master after these parts were published, where it is wanted, and work out the factors that rest on them.

    What it warns of goes to the log. What was published stays, whatever happens here: an error is logged (behind `loaded`),
    and its exit code returned; 0 where there was none. Only a stop is raised.
    """
    published = list(parts)
    code = _build(settings, clock, published, loaded)
    if any(part.dataset in PRICED for part in published):
        with closing(open_warehouse(settings)) as warehouse:
            keep_factors(warehouse)
    return code


def _build(settings: Settings, clock: Clock, published: Iterable[Part], loaded: str) -> int:
    try:
        if _wants_master(settings, published):
            _tell(_built(settings, clock))
    except StockpipeError as error:
        if as_interrupt(error):
            raise
        log.error("%s, and the security master was not built: %s", loaded, error)
        return error.exit_code
    return 0


def _built(settings: Settings, clock: Clock) -> Built:
    from stockpipe.master.build import build_master  # the resolver, which most runs do not need

    with closing(open_warehouse(settings)) as warehouse:
        return build_master(warehouse, settings, clock)


def _tell(built: Built) -> None:
    for warning in built.warnings:
        log.warning("%s", warning)
    listed = f"{built.figures['listed']:,}"
    log.info("Security master: build %d, %s listed, %.1f s", built.build, listed, built.seconds)
