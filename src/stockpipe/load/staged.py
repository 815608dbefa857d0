"""What a staged part is, in numbers: the facts that the checks and the run record need."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from stockpipe.base.text import literal
from stockpipe.datasets import Dataset, Part, Partition
from stockpipe.load.sent import ROWS_A_PAGE
from stockpipe.load.versions import digest_sql, numbers_sql
from stockpipe.warehouse.runs import Counts

_GOOD = "FROM staged WHERE reason IS NULL AND NOT repeated"
# All rows of one build are stamped within milliseconds (60 at most, in 29 builds of 2025 and 2026).
_ONE_BUILD = "INTERVAL 1 MINUTE"
_CONFLICT = "conflict:"
_REASONS = 5
# What a run record keeps of fields that nobody knows: names come from outside, and one row has room for 100,000 of them.
_NEW_FIELDS, _LONGEST_NAME = 50, 100


@dataclass(frozen=True)
class StagedPart:
    """The facts of a staged part.

    `builds`: the vendor's builds that the rows are stamped with, each by its first stamp (UTC), with its rows; the
    stamps at midnight of dated records are no builds. `keys_on_two_pages`: keys that stand on two pages where the list
    should have them once, `repeated_on_two_pages` those of them that do so in identical rows. `shared`: values that one
    row should have and two have, each with the names of these rows. `conflicts`: keys with two different rows where one
    is allowed. `first_key`, `last_key`: the ends of the list as it was sent. `field_counts`: for each column, how many
    good rows have a value. `new_fields`: the first names of fields that nobody knows, in order, cut where they are long;
    `more_new_fields`: how many there are besides. `short`: what is missing in ranges of the list, a sentence each, as two fetches said.
    """

    counts: Counts
    builds: dict[datetime, int]
    keys_on_two_pages: list[str]
    repeated_on_two_pages: list[str]
    shared: list[str]
    conflicts: list[str]
    first_key: str | None
    last_key: str | None
    content_hash: str
    field_counts: dict[str, int]
    new_fields: list[str]
    reject_reasons: list[tuple[str | None, str]]
    short: tuple[str, ...] = ()
    more_new_fields: int = 0


def examine(db: duckdb.DuckDBPyConnection, partition: Partition, chunks: Path, rows: int) -> StagedPart:
    """Set repetitions and conflicts aside, and tell what there is.

    `chunks` is the folder of the typed rows, `rows` how many rows were fetched. The staging database `db` gets the view
    `staged`: all rows with their number (`seq`), the `reason` of rejected ones, and whether they are `repeated`.
    """
    part = partition.part
    dataset = part.dataset
    files = literal(f"{chunks}/*.parquet")
    db.execute(f"CREATE OR REPLACE VIEW typed AS SELECT * FROM read_parquet({files})")
    # Looking for keys that stand twice costs as much as a third of the other look, which can tell that there are none.
    same_keys = _find_same_keys(db, partition) if _may_repeat(part) else 0
    _set_aside(db, partition, any_left=same_keys > 0)
    seen = _look(db, part)
    if not same_keys and seen.keys < seen.published:
        same_keys = _find_same_keys(db, partition)
        _set_aside(db, partition, any_left=True)
        seen = _look(db, part)
    name = f'"{dataset.name_column}"::VARCHAR'
    new_fields, more = _new_fields(db, dataset) if seen.unknown else ([], 0)
    on_two_pages = _keys_on_two_pages(db, partition) if same_keys else []
    return StagedPart(
        counts=Counts(rows, seen.published, seen.rejected, seen.repeated),
        builds=_builds(db, partition),
        keys_on_two_pages=[key for key, _ in on_two_pages],
        repeated_on_two_pages=[key for key, is_repeated in on_two_pages if is_repeated],
        shared=_shared(db, partition) if seen.shared else [],
        conflicts=_names(db, f"SELECT DISTINCT {name} FROM staged WHERE reason LIKE '{_CONFLICT}%' ORDER BY 1")
        if same_keys
        else [],
        first_key=seen.first_key,
        last_key=seen.last_key,
        content_hash=seen.content_hash,
        field_counts=dict(zip((column.name for column in dataset.fields), seen.filled, strict=True)),
        new_fields=new_fields,
        more_new_fields=more,
        reject_reasons=db.execute(
            f"SELECT {name}, reason FROM staged WHERE reason IS NOT NULL ORDER BY seq LIMIT {_REASONS}"
        ).fetchall()
        if seen.rejected
        else [],
    )


class _Seen(NamedTuple):
    """What one look at the view `staged` tells. Of the good rows: how many there are, have keys of their own, have unknown
    fields, and have a value of a column `once` that another one has; their digest, and how many have each field."""

    published: int
    rejected: int
    repeated: int
    keys: int
    unknown: int
    shared: int
    first_key: str | None
    last_key: str | None
    content_hash: str
    filled: list[int]


def _look(db: duckdb.DuckDBPyConnection, part: Part) -> _Seen:
    dataset, good, name = part.dataset, "reason IS NULL AND NOT repeated", f'"{part.dataset.name_column}"::VARCHAR'
    unique = f"FILTER ({good} AND {_where_unique(part)})"
    unknown = f'count("{dataset.unknown.name}") FILTER ({good})' if dataset.unknown else "0"
    shared = " + ".join(f'count("{column}") {unique} - count(DISTINCT "{column}") {unique}' for column in dataset.once)
    filled = ", ".join(f'count("{column.name}") FILTER ({good})' for column in dataset.fields)
    found = db.execute(
        f"SELECT count(*) FILTER ({good}), count(reason), count(*) FILTER (repeated), count(DISTINCT ({_key(part)})) FILTER ({good}), "
        f"{unknown}, {shared or 0}, arg_min({name}, seq), arg_max({name}, seq), {_content_hash(dataset, good)}, {filled} FROM staged"
    )
    published, rejected, repeated, keys, unknown, shared, first, last, digest, *counts = found.fetchall()[0]
    return _Seen(published, rejected, repeated, keys, unknown, shared, first, last, digest, counts)


def _content_hash(dataset: Dataset, good: str) -> str:
    """SHA-256 over the good rows, whatever their order. DS and what is not compared say nothing about change.

    The upper halves of the rows' MD5 are added up, so a list of any length needs no sorting and no room.
    """
    cells = ", ".join(
        f'coalesce("{column.name}"::VARCHAR, chr(30))'
        for column in dataset.columns
        if column.name not in dataset.not_compared and column.type.role not in ("day", "pulled")
    )
    row = f"(md5_number(concat_ws(chr(31), {cells})) >> 64)::UBIGINT"
    return f"sha256(concat_ws(' ', count(*) FILTER ({good}), sum({row}) FILTER ({good})))"


def _new_fields(db: duckdb.DuckDBPyConnection, dataset: Dataset) -> tuple[list[str], int]:
    """The first names of unknown fields, and how many there are besides."""
    unknown = f'"{dataset.unknown.name}"' if dataset.unknown else "NULL"
    found = db.execute(
        f"SELECT name, count(*) OVER () FROM (SELECT DISTINCT unnest(json_keys({unknown})) AS name {_GOOD} AND {unknown} IS NOT NULL) "
        f"ORDER BY name LIMIT {_NEW_FIELDS}"
    ).fetchall()
    names = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}\u2026" for name, _ in found]
    return names, (found[0][1] if found else 0) - len(names)


def _find_same_keys(db: duckdb.DuckDBPyConnection, partition: Partition) -> int:
    """The table `same_key`: good rows that share their key with another; `copy` numbers identical ones from 1.

    Returns how many there are.
    """
    columns, key = _list(column.name for column in partition.part.dataset.columns), _key(partition.part)
    made = db.execute(
        f"CREATE OR REPLACE TEMP TABLE same_key AS SELECT seq, row_number() OVER (PARTITION BY {columns} ORDER BY seq) AS copy, {columns} "
        f"FROM typed WHERE reason IS NULL AND ({key}) IN "
        f"(SELECT ({key}) FROM typed WHERE reason IS NULL GROUP BY {key} HAVING count(*) > 1)"
    )
    return int(made.fetchall()[0][0])


def _set_aside(db: duckdb.DuckDBPyConnection, partition: Partition, *, any_left: bool) -> None:
    """Drop identical repetitions; where a key may stand once only, reject all but the newest, most complete row.

    Rows of a restated list are numbered instead. The view `staged` says so; without `any_left`, no key stands twice.
    """
    dataset = partition.part.dataset
    if dataset.kind.write == "merge":
        _number(db, dataset, any_left=any_left)
        return
    if not any_left:
        db.execute("CREATE OR REPLACE VIEW staged AS SELECT *, false AS repeated FROM typed")
        return
    stamp = getattr(dataset.kind, "build_stamp", None)
    newest = f'"{stamp}" DESC NULLS LAST, ' if stamp else ""
    filled = " + ".join(f'("{column.name}" IS NOT NULL)::INT' for column in dataset.columns)
    conflict = f"{_CONFLICT} another row with this {dataset.name_column} is newer or more complete"
    db.execute(
        "CREATE OR REPLACE TEMP TABLE set_aside AS SELECT seq, NULL::VARCHAR AS why FROM same_key WHERE copy > 1 "
        f"UNION ALL SELECT seq, '{conflict}' FROM same_key WHERE copy = 1 AND {_where_unique(partition.part)} "
        f"QUALIFY row_number() OVER (PARTITION BY {_list(dataset.key)} ORDER BY {newest}{filled} DESC, seq) > 1"
    )
    db.execute(
        "CREATE OR REPLACE VIEW staged AS SELECT typed.* REPLACE (coalesce(reason, why) AS reason), "
        "set_aside.seq IS NOT NULL AND why IS NULL AS repeated FROM typed LEFT JOIN set_aside ON typed.seq = set_aside.seq"
    )


def _number(db: duckdb.DuckDBPyConnection, dataset: Dataset, *, any_left: bool) -> None:
    """The view `staged` of a restated list: identical rows are repeated, all others have their number and digest."""
    number, digest = (f'"{column.name}"' for role in ("number", "version") if (column := dataset.of_role(role)))
    if not any_left:
        made = f"SELECT * REPLACE ({digest_sql(dataset, '1')} AS {digest}), false AS repeated FROM typed"
        db.execute(f"CREATE OR REPLACE VIEW staged AS {made}")
        return
    db.execute(
        f"CREATE OR REPLACE TEMP TABLE numbered AS {numbers_sql(dataset)} UNION ALL SELECT seq, NULL FROM same_key WHERE copy > 1"
    )
    # Rows of a key that stands once are not in `numbered`; a repeated one is there without a number.
    place = "CASE WHEN numbered.seq IS NULL THEN 1 ELSE place END"
    db.execute(
        f"CREATE OR REPLACE VIEW staged AS SELECT typed.* REPLACE ({place} AS {number}, {digest_sql(dataset, place)} AS {digest}), "
        "numbered.seq IS NOT NULL AND place IS NULL AS repeated FROM typed LEFT JOIN numbered ON typed.seq = numbered.seq"
    )


def _key(part: Part) -> str:
    """What tells two rows apart, as SQL: the key without the columns that are the same in the whole part; no null is in it."""
    names = [name for name in part.dataset.key if name not in part.values] or part.dataset.key
    return ", ".join(
        f'"{name}"' if part.dataset.column(name).required else f'coalesce("{name}"::VARCHAR, chr(30))' for name in names
    )


def _may_repeat(part: Part) -> bool:
    """Whether keys that stand several times are nothing special: names that are used again, among the delisted."""
    flag = part.dataset.unique_where
    return flag is not None and not part.values.get(flag, True)


def _where_unique(part: Part) -> str:
    """The condition for rows whose key may stand once only."""
    flag = part.dataset.unique_where
    return f'"{flag}"' if flag else "true"


def _builds(db: duckdb.DuckDBPyConnection, partition: Partition) -> dict[datetime, int]:
    """Stamps less than a minute apart are one build. None where a part's stamps do not tell the build."""
    stamp = getattr(partition.part.dataset.kind, "build_stamp", None)
    if stamp is None or not partition.part.rules.nightly_build:
        return {}
    found = db.execute(
        f"""
        WITH stamps AS (SELECT "{stamp}"::TIMESTAMP AS stamp, count(*) AS rows {_GOOD} AND "{stamp}"::TIME <> TIME '00:00:00' GROUP BY 1),
        gaps AS (SELECT *, stamp - lag(stamp) OVER (ORDER BY stamp) > {_ONE_BUILD} AS is_new FROM stamps),
        builds AS (SELECT *, count(*) FILTER (is_new) OVER (ORDER BY stamp) AS build FROM gaps)
        SELECT min(stamp), sum(rows)::BIGINT FROM builds GROUP BY build ORDER BY 1
        """
    )
    return {stamp.replace(tzinfo=UTC): rows for stamp, rows in found.fetchall()}


def _keys_on_two_pages(db: duckdb.DuckDBPyConnection, partition: Partition) -> list[tuple[str, bool]]:
    """Each key with whether it stands there in identical rows.

    Where a key may stand several times, as a reused name does among delisted ones, only an identical row counts.
    """
    name = f'"{partition.part.dataset.name_column}"'
    found = db.execute(
        f"SELECT {name}::VARCHAR, max(copy) > 1 FROM same_key GROUP BY {_list(partition.part.dataset.key)} "
        f"HAVING count(DISTINCT seq // {ROWS_A_PAGE}) > 1 AND (bool_or({_where_unique(partition.part)}) OR max(copy) > 1) ORDER BY 1"
    )
    return found.fetchall()


def _shared(db: duckdb.DuckDBPyConnection, partition: Partition) -> list[str]:
    """Values of the columns `once` that several good rows have: `BBG000BLNNH6 (FI, FISV)`."""
    name, found = f'"{partition.part.dataset.name_column}"::VARCHAR', []
    for column in partition.part.dataset.once:
        value = f'"{column}"::VARCHAR'
        rows = f"{_GOOD} AND {_where_unique(partition.part)} AND {value}"
        # The few values first: putting names together for each of a list's values takes ten times as long.
        found += _names(
            db,
            f"SELECT {value} || ' (' || string_agg({name}, ', ' ORDER BY {name}) || ')' {rows} IN "
            f"(SELECT {value} {rows} IS NOT NULL GROUP BY {value} HAVING count(*) > 1) GROUP BY {value} ORDER BY 1",
        )
    return found


def _names(db: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    return [row[0] for row in db.execute(sql).fetchall()]


def _list(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)
