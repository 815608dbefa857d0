"""stockpipe schedule --install: print the entry for this machine's own scheduler, or put it in place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from stockpipe.base.clock import Clock
from stockpipe.cli.parts import USUAL_DATASET, divisions, further_options, words_of
from stockpipe.cli.proposals import in_lines
from stockpipe.errors import UsageError
from stockpipe.load.loads import known_datasets, make_jobs
from stockpipe.schedule.install import Wish, installation, put_in_place
from stockpipe.schedule.removal import remove


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
    following = made.next if written else "the same command with --write puts it in place."
    click.echo(in_lines(following, "Next: "), err=True)


def uninstall(options: dict[str, Any]) -> None:
    """Take out the entry that `options` (of `stockpipe schedule`) name; one that is not there is told, and no error."""
    kind, name = options["uninstall"], _name(_chosen(options))
    told, forget = remove(kind, name, Path.cwd(), system=_system(options, kind))
    for line in told or [f"There is no entry {name} for {kind}: nothing was removed."]:
        click.echo(line, err=True)
    if forget:
        click.echo(in_lines(forget, "Next: "), err=True)


def _system(options: dict[str, Any], kind: str) -> bool:
    """Whether a unit of the system is meant: as root, who has no session of its own, or where it is said."""
    if options["system"] is not None and kind != "systemd":
        raise UsageError("--system and --user are for units of systemd.", hint=f"Leave them out for {kind}.")
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return kind == "systemd" and bool(as_root if options["system"] is None else options["system"])


def _chosen(options: dict[str, Any]) -> dict[str, str]:
    """The words for `run`, by the names of its options; several with commas between."""
    said = {name: word if isinstance(word, str) else ",".join(word or ()) for name, word in words_of(options).items()}
    datasets = [dataset.name for dataset in known_datasets(options["datasets"])]
    own = {division.field for dataset in known_datasets(options["datasets"]) for division in dataset.divisions}
    chosen = {name: said[name] or division.usual for name, division in divisions().items() if name in own or said[name]}
    return ({"dataset": ",".join(datasets)} if datasets != [USUAL_DATASET] else {}) | chosen


def _name(chosen: dict[str, str]) -> str:
    """The first one always, others where they are not the usual ones: stockpipe-stocks, stockpipe-crypto-both."""
    usual = {name: division.usual for name, division in divisions().items()}
    named = [word for place, (name, word) in enumerate(chosen.items()) if place == 0 or word != usual.get(name)]
    return "-".join(["stockpipe", *named]).replace(",", "-").replace(" ", "")


def _wish(options: dict[str, Any]) -> Wish:
    """The wish with everything absolute: a scheduler knows neither this folder nor this PATH."""
    make_jobs(Clock(), options["datasets"], words_of(options))  # words that make no sense are told now, not every night
    folder, chosen = Path.cwd(), _chosen(options)
    name, kind = _name(chosen), options["install"]
    log_file = folder / (options["log_file"] or Path("logs") / f"{name}.log")
    env_file = folder / (options["env_file"] or ".env")
    words = [text for name, word in chosen.items() for text in (f"--{name}", word)]
    words += [text for name in further_options() if options[name] for text in (f"--{name}", str(options[name]))]
    words += ["--env-file", str(env_file), "--log-file", str(log_file)]
    words += ["--log-format", options["log_format"]] if options["log_format"] != "text" else []
    words += ["--require-fresh"] if options["require_fresh"] else []
    words += ["--metrics-file", str(folder / options["metrics_file"])] if options["metrics_file"] else []
    words += ["--connection", options["connection"]] if options["connection"] else []
    words += ["--warehouse", options["warehouse"]] if options["warehouse"] else []
    if options["duckdb_path"]:
        words += ["--duckdb-path", str(folder / Path(options["duckdb_path"]).expanduser())]
    cron = " ".join((options["cron"] or "").split())
    return Wish(kind, name, tuple(words), folder, log_file, env_file, cron, _system(options, kind))
