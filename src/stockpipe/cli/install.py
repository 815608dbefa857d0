"""stockpipe schedule --install: print the entry for this machine's own scheduler, or put it in place."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from stockpipe.cli.parts import divisions, words_of
from stockpipe.schedule.install import Wish, installation, put_in_place


def install(options: dict[str, Any], hour: int, minute: int, zone: ZoneInfo) -> None:
    """Print the entry that `options` (of `stockpipe schedule`) ask for, or put it in place with `write`."""
    wish = _wish(options)
    made = installation(wish, hour, minute, zone)
    written = put_in_place(made, wish) if options["write"] else []
    for line in written:
        click.echo(line, err=True)
    for place, text in {} if written else made.files.items():
        click.echo(f"# {place}\n{text}" if len(made.files) > 1 else text, nl=False)
    for note in made.notes:
        click.echo(f"Note: {note}", err=True)
    click.echo(f"Next: {made.next if written else 'the same command with --write puts it in place.'}", err=True)


def _wish(options: dict[str, Any]) -> Wish:
    """The wish with everything absolute: a scheduler knows neither this folder nor this PATH."""
    folder = Path.cwd()
    usual = {name: division.usual for name, division in divisions().items()}
    chosen = {name: word or usual[name] for name, word in words_of(options).items()}
    named = [word for place, (name, word) in enumerate(chosen.items()) if place == 0 or word != usual[name]]
    name = "-".join(["stockpipe", *named])
    log_file = folder / (options["log_file"] or Path("logs") / f"{name}.log")
    env_file = folder / (options["env_file"] or ".env")
    words = [text for name, word in chosen.items() for text in (f"--{name}", word)]
    words += ["--env-file", str(env_file), "--log-file", str(log_file)]
    words += ["--log-format", options["log_format"]] if options["log_format"] != "text" else []
    words += ["--require-fresh"] if options["require_fresh"] else []
    words += ["--metrics-file", str(folder / options["metrics_file"])] if options["metrics_file"] else []
    words += ["--connection", options["connection"]] if options["connection"] else []
    words += ["--warehouse", options["warehouse"]] if options["warehouse"] else []
    if options["duckdb_path"]:
        words += ["--duckdb-path", str(folder / Path(options["duckdb_path"]).expanduser())]
    return Wish(options["install"], name, tuple(words), folder, log_file, env_file)
