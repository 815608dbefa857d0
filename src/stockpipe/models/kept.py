"""What is worked out behind a load, so that questions about prices need not: see `warehouse.model.Kept`."""

from __future__ import annotations

import logging

from stockpipe.base.stopping import as_interrupt
from stockpipe.errors import StockpipeError
from stockpipe.models.price_views import price_views
from stockpipe.warehouse import Warehouse

log = logging.getLogger(__name__)


def keep_factors(warehouse: Warehouse) -> None:
    """Work out the factors of ADJUSTED_BARS, where that is worth it and they were let go of. Only a stop is raised.

    Without them all is right, and slower: that they could not be worked out is a warning.
    """
    try:
        warehouse.keep(price_views(warehouse.prefix))
    except StockpipeError as error:
        if as_interrupt(error):
            raise
        log.warning("The factors of prices were not worked out; each question will do it, and be slow: %s", error)
