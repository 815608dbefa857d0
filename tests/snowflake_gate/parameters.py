"""Session parameters: what an account or a user has set, and what it makes of a statement.

Only what is set somewhere has an effect: an account without parameters shows every digit and reads every text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sqlglot import exp, parse_one

from snowflake_gate.answers import Refusal, text

MACRO = """
CREATE OR REPLACE TEMP MACRO _gate_text(v, ntz, tz, zone, d) AS CASE
    WHEN typeof(v) = 'DATE' THEN strftime(TRY_CAST(v::VARCHAR AS TIMESTAMP), d)
    WHEN typeof(v) LIKE '%TIME ZONE' THEN
        strftime(TRY_CAST(v::VARCHAR AS TIMESTAMPTZ)::TIMESTAMP::TIMESTAMP_NS, tz)
        || CASE WHEN zone THEN ' ' || strftime(TRY_CAST(v::VARCHAR AS TIMESTAMPTZ), '%z') || '00' ELSE '' END
    WHEN typeof(v) LIKE 'TIMESTAMP%' THEN strftime(TRY_CAST(v::VARCHAR AS TIMESTAMP_NS), ntz)
    ELSE v::VARCHAR END
"""
_QUOTED = re.compile(r"""(?P<text>'(?:[^'\\]|\\.|'')*')|"(?:[^"]|"")*\"""")
_TEXT = re.compile(r"(?P<text>'(?:[^'\\]|\\.|'')*')|\bTIMESTAMP\b", re.IGNORECASE)
_DATE = re.compile(r"'(\d{4}-\d\d-\d\d)'")
_MOMENT = re.compile(r"'(\d{4}-\d\d-\d\d[ T]\d\d:\d\d[^']*)'")
_TO_TEXT = re.compile(r"::\s*(VARCHAR|STRING|TEXT)|\bCAST\b|\bTO_(VARCHAR|CHAR)\b", re.IGNORECASE)
_FORMATS = (
    ("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("HH24", "%H"), ("MI", "%M"), ("SS", "%S"), ("FF3", "%g"), ("FF6", "%f"),
    ("FF9", "%n"),
)  # fmt: skip


def is_off(parameters: Mapping[str, Any], name: str) -> bool:
    """Whether a switch is off: connectors send booleans, numbers and texts."""
    return str(parameters.get(name, False)).upper() in ("FALSE", "0", "")


def as_read(parameters: Mapping[str, Any], sql: str) -> str:
    """A statement as the session reads it: names in quotes, and what TIMESTAMP means."""
    if not is_off(parameters, "QUOTED_IDENTIFIERS_IGNORE_CASE"):
        sql = _QUOTED.sub(lambda found: found[0] if found["text"] else found[0].upper(), sql)
    if (kind := str(parameters.get("TIMESTAMP_TYPE_MAPPING", "TIMESTAMP_NTZ"))) != "TIMESTAMP_NTZ":
        sql = _TEXT.sub(lambda found: found["text"] or kind, sql)
    return sql


def refuse_unread(parameters: Mapping[str, Any], sql: str) -> None:
    """A text that is to be a date or a time, in another form than the session's."""
    for name, pattern, code, what, plain in (
        ("DATE_INPUT_FORMAT", _DATE, 100040, "Date", "YYYY-MM-DD"),
        ("TIMESTAMP_INPUT_FORMAT", _MOMENT, 100035, "Timestamp", "YYYY-MM-DD HH24:MI:SS"),
    ):
        form = str(parameters.get(name, "AUTO"))
        if form.upper() != "AUTO" and not form.startswith(plain) and (found := pattern.search(sql)):
            raise Refusal(code, f"{what} '{found[1]}' is not recognized", "22007")


def as_answered(parameters: Mapping[str, Any], sql: str) -> str:
    """A SELECT that gives times in the session's form, and no more rows than it lets through."""
    if _TO_TEXT.search(sql):
        sql = _with_formats(parameters, sql)
    if limit := int(parameters.get("ROWS_PER_RESULTSET") or 0):
        sql = f"SELECT * FROM ({sql.rstrip().rstrip(';')}\n) LIMIT {limit}"
    return sql


def _with_formats(parameters: Mapping[str, Any], sql: str) -> str:
    if not any(name.endswith("_OUTPUT_FORMAT") for name in parameters) and "FF9" not in sql:
        return sql
    formats = _output_formats(parameters)

    def change(node: Any) -> Any:
        if isinstance(node, exp.ToChar) and (form := node.args.get("format")):
            return _text_of(node.this, dict.fromkeys(formats, form.name))
        if isinstance(node, exp.ToChar) or (isinstance(node, exp.Cast) and node.to.this in exp.DataType.TEXT_TYPES):
            return _text_of(node.this, formats)
        return node

    return str(parse_one(sql, read="snowflake").transform(change).sql(dialect="snowflake"))


def _output_formats(parameters: Mapping[str, Any]) -> dict[str, str]:
    every = str(parameters.get("TIMESTAMP_OUTPUT_FORMAT") or "YYYY-MM-DD HH24:MI:SS.FF3 TZHTZM")
    return {
        "ntz": str(parameters.get("TIMESTAMP_NTZ_OUTPUT_FORMAT") or every),
        "tz": str(parameters.get("TIMESTAMP_TZ_OUTPUT_FORMAT") or every),
        "date": str(parameters.get("DATE_OUTPUT_FORMAT") or "YYYY-MM-DD"),
    }


def _text_of(value: Any, formats: Mapping[str, str]) -> Any:
    zone = "TRUE" if "TZH" in formats["tz"] else "FALSE"
    arguments = ", ".join(
        (text(_strftime(formats["ntz"])), text(_strftime(formats["tz"])), zone, text(_strftime(formats["date"])))
    )
    call = parse_one(f"_gate_text(NULL, {arguments})", read="snowflake")
    call.expressions[0].replace(value.copy())
    return call


def _strftime(form: str) -> str:
    form = re.sub(r"\s*TZH:?TZM", "", "YYYY-MM-DD HH24:MI:SS.FF3" if form.upper() == "AUTO" else form)
    for ours, theirs in _FORMATS:
        form = form.replace(ours, theirs)
    return form
