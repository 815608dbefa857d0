"""stockpipe schema: the tables, views, grants and dbt sources as text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from stockpipe.cli.choices import warehouse_option
from stockpipe.cli.logs import configure_logging
from stockpipe.cli.output import connection_option, exit_codes
from stockpipe.errors import UsageError
from stockpipe.settings import Settings, load_settings
from stockpipe.settings.connections import NAME as CONNECTION_NAME


@click.command()
@click.option("--views", is_flag=True, help="The views: the latest state, and the changes of each day.")
@click.option("--grants", is_flag=True, help="Snowflake: roles, warehouse, user and grants.")
@click.option("--dbt", is_flag=True, help="A sources.yml with freshness, descriptions and tests.")
@click.option("--reader", metavar="ROLE", help="With --grants: the readers' role; default: STOCKPIPE_READER.")
@click.option(
    "--owner", metavar="ROLE", help="With --grants: the role that owns tables and views; default: the loader's role."
)
@warehouse_option
@connection_option
@click.option("--env-file", type=click.Path(path_type=Path), help="File with settings; default: .env")
def schema(
    reader: str | None,
    owner: str | None,
    warehouse: str | None,
    connection: str | None,
    env_file: Path | None,
    **what: bool,
) -> None:
    """Print the SQL of the tables as `run` makes them. Nothing is connected to or changed.

    \b
    stockpipe schema                                 the tables
    stockpipe schema --warehouse snowflake --views   the views in Snowflake's SQL
    stockpipe schema --grants > grants.sql           for your administrator
    stockpipe schema --dbt > models/sources.yml      the tables as dbt sources

    Names come from the SNOWFLAKE_* settings; where these are not set, from STOCKPIPE (database), MARKET_DATA (schema),
    STOCKPIPE_LOADER (role), STOCKPIPE_WH (warehouse) and STOCKPIPE_SERVICE (user).
    """
    with exit_codes():
        chosen = [name for name, wanted in what.items() if wanted]
        _check(chosen, {"--reader": reader, "--owner": owner}, warehouse)
        kind = "snowflake" if what["grants"] else warehouse
        settings = load_settings({"STOCKPIPE_WAREHOUSE": kind, CONNECTION_NAME: connection}, env_file=env_file)
        configure_logging(settings, quiet=True)
        click.echo(_text(chosen, settings, reader, owner), nl=False)


def _check(chosen: list[str], roles: Mapping[str, str | None], warehouse: str | None) -> None:
    if len(chosen) > 1:
        raise UsageError(f"--{' and --'.join(chosen)} are different files.", hint="Ask for one at a time.")
    for flag, role in roles.items():
        if role is not None and chosen != ["grants"]:
            raise UsageError(f"{flag} names a role in the script of --grants.", hint="Add --grants.")
    if chosen == ["grants"] and warehouse == "duckdb":
        raise UsageError("DuckDB has no roles and no grants.", hint="Leave out --warehouse duckdb.")


def _text(chosen: list[str], settings: Settings, reader: str | None, owner: str | None) -> str:
    from stockpipe.models import all_views as views
    from stockpipe.warehouse import scripts as texts

    match chosen:
        case ["grants"]:
            return texts.grants_script(settings, views, reader or texts.READER_ROLE, owner)
        case ["dbt"]:
            return texts.dbt_sources(settings, views)
        case ["views"]:
            return texts.views_script(settings, views)
    return texts.tables_script(settings)
