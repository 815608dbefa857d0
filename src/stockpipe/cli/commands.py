"""The commands: for each the file it is in, and its line of `--help`."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Load a day into the warehouse."),
    "backfill": ("backfill", "Load a range of past days; it can be stopped and repeated."),
    "datasets": ("datasets", "Show what can be loaded."),
    "demo": ("demo", "The whole thing with no account: sandbox to DuckDB."),
    "init": ("init", "Ask for the settings, write .env, make a key pair."),
    "doctor": ("doctor", "Check settings, key, API, warehouse and privileges; change nothing."),
    "sandbox": ("sandbox", "Serve a local Massive API over a synthetic market."),
    "prices": ("prices", "Daily bars of some tickers, adjusted for splits and dividends."),
    "report": ("report", "Show what changed on a day and whether it can be trusted, as a page or in short."),
    "universe": ("securities", "Show who was listed on a day, with permanent ids."),
    "lookup": ("securities", "Show whose a ticker was, and what it is called now."),
    "changes": ("securities", "Show what changed on a day: new, gone, renamed, changed."),
    "master": ("master", "Build the security master: who is who over time."),
    "query": ("query", "Ask the warehouse with SQL (read only)."),
    "export": ("export", "Write a day to a CSV, Parquet or JSON lines file."),
    "status": ("status", "Show whether everything is as new as it should be."),
    "runs": ("status", "List what the runs did."),
    "rejects": ("rejects", "Show rows that could not be published."),
    "schema": ("schema", "Print the SQL of tables, views and grants, or dbt sources."),
    "config": ("config", "Show every setting and where its value came from."),
    "maintain": ("maintain", "Compact what years of small loads leave behind."),
    "schedule": ("schedule", "Load every day, in the foreground."),
    "completion": ("completion", "Print the shell's completion: bash, zsh or fish."),
    "help": ("completion", "Show the help of a command."),
}
PLACED: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("datasets", "demo", "init", "sandbox", "completion", "help"), ()
) | {"schema": ("warehouse", "connection", "env_file")}
"""The options that say where the data is, of the commands that have not all four; for what is proposed to be typed."""
