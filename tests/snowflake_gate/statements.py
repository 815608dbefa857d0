"""What a statement is: enough to know its transaction rule and its table."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from enum import Enum

from sqlglot import TokenType, exp, parse_one, tokenize

NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[\w$]+)){0,2}'
_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*\n|/\*.*?\*/)+", re.DOTALL)
_TARGETS = {
    "UPDATE": rf"UPDATE\s+(?P<name>{NAME})",
    "DELETE": rf"DELETE\s+FROM\s+(?P<name>{NAME})",
    "MERGE": rf"MERGE\s+INTO\s+(?P<name>{NAME})",
    "INSERT": rf"INSERT\s+(?:OVERWRITE\s+)?INTO\s+(?:TABLE\s+)?(?P<name>{NAME})",
    "COPY": rf"COPY\s+INTO\s+(?P<name>{NAME})",
    "ALTER": rf"ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?P<name>{NAME})",
    "DROP": rf"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?P<name>{NAME})",
    "TRUNCATE": rf"TRUNCATE\s+(?:TABLE\s+)?(?:IF\s+EXISTS\s+)?(?P<name>{NAME})",
    "CREATE": rf"CREATE\s+OR\s+REPLACE\s+(?:TRANSIENT\s+)?TABLE\s+(?P<name>{NAME})",
}
_DDL = {"CREATE", "ALTER", "DROP", "UNDROP", "TRUNCATE", "COMMENT", "GRANT", "REVOKE"}
_ENDS = {"COMMIT": "COMMIT", "ROLLBACK": "ROLLBACK"}


class Kind(Enum):
    READ = "read"  # and everything that has no rule
    BEGIN = "begin"
    COMMIT = "commit"
    ROLLBACK = "rollback"
    DDL = "ddl"  # commits the open transaction first
    LOCKING = "locking"  # UPDATE, DELETE, MERGE, INSERT OVERWRITE
    ADDING = "adding"  # INSERT, COPY: lock nothing


@dataclass(frozen=True)
class Statement:
    sql: str
    word: str
    kind: Kind
    target: str = ""  # as written

    @classmethod
    def of(cls, sql: str) -> Statement:
        bare = _COMMENTS.sub("", sql)
        word = (re.match(r"[A-Za-z]+", bare) or [""])[0].upper()
        found = re.match(_TARGETS[word], bare, re.IGNORECASE) if word in _TARGETS else None
        return cls(bare, word, _kind(word, bare, bool(found)), found["name"] if found else "")

    @property
    def repeatable(self) -> bool:
        if self.word == "COPY":
            return not re.search(r"\bPURGE\s*=\s*TRUE", self.sql, re.IGNORECASE)
        return self.word == "INSERT" and not re.search(r"\bSELECT\b", self.sql[:2000], re.IGNORECASE)

    def count_sql(self) -> str | None:
        """How many rows would this UPDATE or DELETE touch? None where that is not simply asked."""
        if self.word not in ("UPDATE", "DELETE"):
            return None
        tree = parse_one(self.sql, read="snowflake")
        if tree.args.get("from_") or tree.args.get("using"):
            return None
        count = exp.select("COUNT(*)").from_(tree.this.copy())
        if where := tree.args.get("where"):
            count = count.where(where.this.copy())
        return count.sql(dialect="snowflake")


def _kind(word: str, sql: str, has_target: bool) -> Kind:
    if word == "BEGIN" or re.match(r"START\s+TRANSACTION", sql, re.IGNORECASE):
        return Kind.BEGIN
    if word in _ENDS:
        return Kind[_ENDS[word]]
    if word in _DDL and not re.match(r"ALTER\s+SESSION", sql, re.IGNORECASE):
        return Kind.DDL
    if not has_target:
        return Kind.READ
    if word == "INSERT" and not re.match(r"INSERT\s+OVERWRITE", sql, re.IGNORECASE):
        return Kind.ADDING
    if word == "COPY":
        return Kind.ADDING
    return Kind.LOCKING


def how_many(sql: str) -> int:
    """The statements of one text; a semicolon in a literal or a comment parts nothing."""
    if ";" not in sql:
        return 1
    kinds = [token.token_type for token in tokenize(sql, read="snowflake")]
    parts = itertools.groupby(kinds, key=lambda kind: kind is TokenType.SEMICOLON)
    return max(1, sum(not apart for apart, _ in parts))


def qualified(name: str, database: str | None, schema: str | None) -> str:
    """A name as `DATABASE.SCHEMA.TABLE`, as the service stores it."""
    parts = [_stored(part) for part in re.findall(r'"(?:[^"]|"")+"|[\w$]+', name)]
    return ".".join([database or "", schema or ""][: 3 - len(parts)] + parts)


def _stored(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part.upper()
