"""Names as a person writes them into a statement."""

from __future__ import annotations

import re

from stockpipe.base.text import in_quotes

_PLAIN = re.compile(r"[A-Z_][A-Z0-9_$]{0,254}")
_QUOTED = re.compile(r'"(?:[^"]|"")+"')
# Words that one of the warehouses does not take for a table's name without quotes.
_RESERVED = frozenset(
    re.findall(
        r"\w+",
        "ALL ALTER ANALYSE ANALYZE AND ANY ARRAY AS ASC ASYMMETRIC BETWEEN BOTH BY CASE CAST CHECK COLLATE COLUMN CONNECT CONSTRAINT "
        "CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEFAULT DEFERRABLE DELETE DESC DESCRIBE DISTINCT "
        "DO DROP ELSE END EXCEPT EXISTS FALSE FETCH FOLLOWING FOR FOREIGN FROM FULL GRANT GROUP GSCLUSTER HAVING ILIKE IN INCREMENT "
        "INITIALLY INNER INSERT INTERSECT INTO IS ISSUE JOIN LAMBDA LATERAL LEADING LEFT LIKE LIMIT LOCALTIME LOCALTIMESTAMP MINUS "
        "NATURAL NOT NULL OF OFFSET ON ONLY OR ORDER ORGANIZATION PIVOT PIVOT_LONGER PIVOT_WIDER PLACING PRIMARY QUALIFY REFERENCES "
        "REGEXP RETURNING REVOKE RIGHT RLIKE ROW ROWS SAMPLE SELECT SET SHOW SOME START SUMMARIZE SYMMETRIC TABLE TABLESAMPLE THEN TO "
        "TRAILING TRIGGER TRUE TRY_CAST UNION UNIQUE UNPIVOT UPDATE USING VALUES VARIADIC VIEW WHEN WHENEVER WHERE WINDOW WITH",
    )
)


def as_written(name: str) -> str:
    """A table's or column's stored name as a statement takes it: in double quotes where it needs them."""
    plain = _PLAIN.fullmatch(name) and name not in _RESERVED
    return name if plain else in_quotes(name)


def bare(quoted: str) -> str:
    """The stored name behind a quoted one, which may stand in a quoted schema: `"DB"."S"."TICKERS"` is `TICKERS`."""
    return _last(quoted)[1:-1].replace('""', '"')


def place(quoted: str) -> str:
    """What stands before the name itself, its dot included: `"DB"."S".` of `"DB"."S"."TICKERS"`, nothing of `"TICKERS"`."""
    return quoted.removesuffix(_last(quoted))


def _last(quoted: str) -> str:
    *_, last = _QUOTED.finditer(quoted)
    return last[0]
