"""stockpipe config: every setting with its value and where it came from."""

from __future__ import annotations

import contextlib
from typing import Any

import click

from stockpipe.base.text import described, looks_like, without_secrets
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.output import exit_codes, given_settings, print_json, shared_options
from stockpipe.cli.table import Look, print_table, tell_what_is_missing
from stockpipe.errors import ConfigError, UsageError
from stockpipe.settings import SETTINGS, Settings, load_settings

_LOOK = Look(whole=("SETTING",), spare=("FROM",), least={"MEANING": 24}, prose=("VALUE", "FROM", "MEANING"))


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also the settings that have no value, with their meaning.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@shared_options
def config(everything: bool, as_json: bool, **options: Any) -> None:
    """Show every setting that has a value, and where the value came from. Secrets are masked; nothing is connected to.

    A value is looked for in this order: flags, environment, .env, a connection of Snowflake's connections.toml, defaults.
    """
    with exit_codes(as_json=as_json):
        settings = load_settings(given_settings(options), env_file=options["env_file"])
        configure_logging(settings, verbose=options["verbose"], quiet=options["quiet"])
        lines = [_line(settings, name) for name in SETTINGS if everything or settings.find(name)]
        if as_json:
            head = {"looked_in": settings.looked_in, "warehouse": _warehouse(settings)}
            print_json({**head, "settings": lines, "warnings": settings.warnings})
            return
        columns = ("SETTING", "VALUE", "FROM", "MEANING")[: 4 if everything else 3]
        shown = print_table(columns, [list(line.values())[: len(columns)] for line in lines], _LOOK)
        tell_what_is_missing(shown)
        click.echo(f"Loads go to {_warehouse(settings) or 'no known warehouse'}.", err=True)


def _line(settings: Settings, name: str) -> dict[str, str | None]:
    value, setting = settings.find(name), SETTINGS[name]
    shown = None if value is None else "***" if setting.secret else _shown(value.text)
    return {"name": name, "value": shown, "from": value.origin if value else None, "meaning": setting.meaning}


def _shown(text: str) -> str:
    """A value that is not called a secret: it may be one that was put into the wrong setting."""
    safe = without_secrets(text)
    return f"({described(text)})" if looks_like(safe) or "\n" in safe else safe


def _warehouse(settings: Settings) -> str | None:
    """Where a run would load to; None when the setting makes no sense."""
    with contextlib.suppress(ConfigError, UsageError):
        return settings.warehouse
    return None
