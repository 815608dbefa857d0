"""How the commands that only read open the warehouse."""

from __future__ import annotations

from typing import Any

import click

from stockpipe.base.clock import Clock
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.output import given_settings
from stockpipe.reading.reader import Reader
from stockpipe.settings import Settings, load_settings
from stockpipe.warehouse import Warehouse, open_warehouse


def readers_settings(options: dict[str, Any], *, quiet: bool = True) -> Settings:
    """The settings of a command that only reads; its log is set up.

    `quiet` leaves out what is told about connecting, but for what is waited for: that is told on a terminal.
    """
    settings = load_settings(given_settings(options), env_file=options["env_file"])
    silent = options["quiet"]
    configure_logging(settings, verbose=options["verbose"], quiet=quiet or silent, waits=not silent)
    return settings


def commands_reader(settings: Settings, clock: Clock | None = None) -> Reader:
    """A reader whose errors name commands and options, as they are written."""
    return Reader(settings, clock, say=str)


def open_quietly(options: dict[str, Any]) -> Warehouse:
    """The warehouse of the options, closed when the command ends; what it says about connecting is left out."""
    return open_told(options, quiet=True)


def open_told(options: dict[str, Any], *, quiet: bool = False) -> Warehouse:
    """The same, and what it says about connecting is told unless `quiet`."""
    warehouse = open_warehouse(readers_settings(options, quiet=quiet), reads=True)
    click.get_current_context().call_on_close(warehouse.close)
    return warehouse
