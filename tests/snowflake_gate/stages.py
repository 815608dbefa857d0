"""Stages: temporary ones private to their session, LIST and REMOVE with a path, complete PUT answers."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Any

from fakesnow.transforms import stage
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from snowflake_gate.answers import DONE, Refusal, table_sql
from snowflake_gate.engine import Engine
from snowflake_gate.session import Session
from snowflake_gate.statements import NAME, qualified

BUCKET = Path(stage.LOCAL_BUCKET_PATH)
_CREATE_TEMP = re.compile(
    rf"(?P<head>CREATE\s+(?:OR\s+REPLACE\s+)?TEMP(?:ORARY)?\s+STAGE\s+(?:IF\s+NOT\s+EXISTS\s+)?)(?P<name>{NAME})",
    re.IGNORECASE,
)
_DROP = re.compile(rf"DROP\s+STAGE\s+(?P<mild>IF\s+EXISTS\s+)?(?P<name>{NAME})", re.IGNORECASE)
_BARE_FILE = re.compile(r"\APUT\s+(file://[^\s']+)", re.IGNORECASE)  # a /* in it would start a comment
_QUOTED = re.compile(r"(?<=[\s(])'(@[^'\s]+)'")
_REFERENCE = re.compile(rf"(?<=[\s(])@(?P<name>{NAME})")
_LIST = re.compile(
    r"(?P<verb>LIST|LS|REMOVE|RM)\s+'?@(?P<stage>(?:\"[^\"]+\"|[\w$.%~])+)(?:/(?P<path>[^\s';]*))?",
    re.IGNORECASE,
)
_USES_STAGE = re.compile(r"(?:PUT|GET|COPY|SELECT)\b", re.IGNORECASE)
# fakesnow takes FORCE = FALSE for true and does not know the others
_IDLE_COPY_OPTIONS = re.compile(
    r"\b(?:(?:FORCE|PURGE|TRUNCATECOLUMNS|RETURN_FAILED_ONLY|LOAD_UNCERTAIN_FILES)\s*=\s*FALSE"
    r"|ENFORCE_LENGTH\s*=\s*TRUE)\b",
    re.IGNORECASE,
)


def localized(session: Session, sql: str) -> str:
    """The statement with this session's temporary stages where fakesnow keeps them."""
    if found := _CREATE_TEMP.match(sql):
        name = _full(session, found["name"])
        session.temp_stages.add(name)
        return found["head"] + _private(session, name) + sql[found.end() :]
    if not _USES_STAGE.match(sql):
        return sql
    if re.match("COPY", sql, re.IGNORECASE):
        sql = _IDLE_COPY_OPTIONS.sub("", sql)
    if re.match("PUT|COPY", sql, re.IGNORECASE):
        sql = _QUOTED.sub(r"\1", _BARE_FILE.sub(r"PUT '\1'", sql))
    return _REFERENCE.sub(lambda found: _reference(session, found), sql)


def _reference(session: Session, found: re.Match[str]) -> str:
    name = _full(session, found["name"])
    return f"@{_private(session, name)}" if name in session.temp_stages else found[0]


def _full(session: Session, name: str) -> str:
    return qualified(name, session.connection.database, session.connection.schema)


def _private_parts(session: Session, name: str) -> tuple[str, str, str]:
    database, schema, plain = name.split(".", 2)
    return database, f"{session.private_schema}_{schema}", plain


def _private(session: Session, name: str) -> str:
    return ".".join(f'"{part}"' for part in _private_parts(session, name))


def answer(session: Session, sql: str, engine: Engine) -> str | None:
    """DROP STAGE, and LIST and REMOVE, which take a path behind the stage's name."""
    if found := _DROP.match(sql):
        return _drop(session, found["name"], bool(found["mild"]), engine)
    if not (found := _LIST.match(sql)):
        return None
    root, folder = _place(session, found["stage"])
    prefix = found["path"] or ""
    label = "" if folder.startswith("%") else f"{folder.lower()}/"
    files = [file for file in sorted(root.rglob("*")) if file.is_file()]
    chosen = [file for file in files if str(file.relative_to(root)).startswith(prefix)]
    if found["verb"].upper() in ("LIST", "LS"):
        rows: list[list[object]] = [[label + str(file.relative_to(root)), *_facts(file)] for file in chosen]
        return table_sql(["name", "size", "md5", "last_modified"], rows)
    for file in chosen:
        file.unlink()
    return table_sql(["name", "result"], [[label + str(file.relative_to(root)), "removed"] for file in chosen])


def _place(session: Session, name: str) -> tuple[Path, str]:
    parts = _parts(session, name)
    lookup = stage.stage_lookup_sql(*parts, session.connection.table_stages)
    if not (found := session.connection.duck.execute(lookup).fetchone()):
        full = _full(session, name.replace("%", ""))
        raise Refusal(2003, f"SQL compilation error:\nStage '{full}' does not exist or not authorized.", "02000")
    return Path(stage.internal_dir(found[0])), parts[2]


def _parts(session: Session, name: str) -> tuple[str, str, str]:
    full = _full(session, name.replace("%", ""))
    if full in session.temp_stages:
        return _private_parts(session, full)
    database, schema, plain = full.split(".", 2)
    return database, schema, f"%{plain}" if "%" in name else plain


def _drop(session: Session, name: str, mild: bool, engine: Engine) -> str:
    try:
        root, plain = _place(session, name)
    except Refusal:
        if not mild:
            raise
        return DONE
    shutil.rmtree(root, ignore_errors=True)
    engine.forget_stage(session.connection, _parts(session, name))
    session.temp_stages.discard(_full(session, name))
    return f"SELECT '{plain} successfully dropped.' AS \"status\""


def _facts(file: Path) -> list[object]:
    digest = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
    return [file.stat().st_size, digest, "Thu, 1 Jan 2026 00:00:00 GMT"]


def forget(session: Session, engine: Engine) -> None:
    """A temporary stage dies with its session."""
    for name in list(session.temp_stages):
        _drop(session, name, True, engine)


def complete_put(session: Session, sql: str, data: dict[str, Any], host: str) -> None:
    """One file that keeps its name: its URL at once, with a token, so that the connector does not ask again.

    For several files or a name that compression changes, the connector asks again for each file, as it
    does against an account on Google Cloud that gives no token.
    """
    data["queryId"] = session.query_id
    data["overwrite"] = bool(re.search(r"\bOVERWRITE\s*=\s*TRUE", sql, re.IGNORECASE))
    info = data["stageInfo"]
    if not info.get("presignedUrl"):
        return
    info["presignedUrl"] = re.sub(r"//[^/]+/", f"//{host}/", info["presignedUrl"], count=1)
    place, _, _ = info["presignedUrl"].partition("/fs_bucket/")[2].rpartition("/")
    info |= {
        "location": f"fs_bucket/{place}/",
        "region": "local",
        "endPoint": f"http://{host}",
        "path": place,
        "isClientSideEncrypted": False,
        "useRegionalUrl": False,
        "useVirtualUrl": False,
    }
    source = Path(str(data["src_locations"][0]))
    if not data["autoCompress"] and not re.search(r"[*?\[]", source.name):
        info["creds"] = {"GCS_ACCESS_TOKEN": "stand-in"}


async def bucket(request: Request) -> Response:
    """The storage behind the stages."""
    file = (BUCKET / request.path_params["path"]).resolve()
    if not file.is_relative_to(BUCKET.resolve()):
        return Response(status_code=403)
    if request.method == "PUT":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(await request.body())
        return Response()
    return FileResponse(file) if file.is_file() else Response(status_code=404)
