"""What the objects are called: as the settings say, or as documented where they say nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stockpipe.base.text import in_quotes
from stockpipe.datasets import DATASETS
from stockpipe.errors import ConfigError
from stockpipe.settings import Settings
from stockpipe.warehouse import sql
from stockpipe.warehouse.snowflake.account import user_name
from stockpipe.warehouse.snowflake.privileges import SYSTEM_ROLES

PLACEHOLDERS = {
    "SNOWFLAKE_DATABASE": "STOCKPIPE",
    "SNOWFLAKE_SCHEMA": "MARKET_DATA",
    "SNOWFLAKE_ROLE": "STOCKPIPE_LOADER",
    "SNOWFLAKE_WAREHOUSE": "STOCKPIPE_WH",
    "SNOWFLAKE_USER": "STOCKPIPE_SERVICE",
}
READER_ROLE = "STOCKPIPE_READER"


@dataclass(frozen=True)
class Names:
    """Quoted names of everything that stockpipe uses in a Snowflake account; `tables` by the dataset's name."""

    database: str
    schema: str
    tables: Mapping[str, str]
    role: str
    reader: str
    owner: str
    """Of the tables and views: the loader's role, unless they are to belong to another one."""
    warehouse: str
    user: str

    @classmethod
    def of(cls, settings: Settings, reader: str = READER_ROLE, owner: str | None = None) -> Names:
        """From the SNOWFLAKE_* settings; ConfigError for a name that cannot be one."""
        role = _name(settings, "SNOWFLAKE_ROLE")
        return cls(
            database=_name(settings, "SNOWFLAKE_DATABASE"),
            schema=_name(settings, "SNOWFLAKE_SCHEMA"),
            tables={dataset.name: sql.dataset_table(dataset, settings).name for dataset in DATASETS.values()},
            role=role,
            reader=sql.identifier(reader, "--reader"),
            owner=sql.identifier(owner, "--owner") if owner else role,
            warehouse=_name(settings, "SNOWFLAKE_WAREHOUSE"),
            user=_user(settings),
        )

    @property
    def prefix(self) -> str:
        """Database and schema with a dot behind."""
        return f"{self.database}.{self.schema}."

    def must_be_own_roles(self) -> None:
        """ConfigError when one of the roles is one that every account has: granting it would give it away."""
        for source, role in (("SNOWFLAKE_ROLE", self.role), ("--reader", self.reader), ("--owner", self.owner)):
            if role.strip('"') in SYSTEM_ROLES:
                raise ConfigError(
                    f"{source} is {role}, a role that every account has; it must not be granted to a service.",
                    hint=f"Name a role of its own, such as {PLACEHOLDERS['SNOWFLAKE_ROLE']}.",
                )


def _name(settings: Settings, setting: str) -> str:
    return sql.identifier(settings.get(setting) or PLACEHOLDERS[setting], setting)


def _user(settings: Settings) -> str:
    """A user's name is often an address, which SNOWFLAKE_USER has without quotes."""
    text = user_name(settings) if settings.get("SNOWFLAKE_USER") else PLACEHOLDERS["SNOWFLAKE_USER"]
    return quoted_user(text)


def quoted_user(name: str) -> str:
    """A user's name as a statement takes it: me@example.com becomes "ME@EXAMPLE.COM"."""
    return in_quotes(name.strip().upper())
