"""What the connector puts into a request, and what an unfinished statement is answered with."""

from __future__ import annotations

import asyncio
import gzip

from starlette.requests import Request

from snowflake_gate.answers import Answer


def pending(task: asyncio.Task[Answer], code: str) -> Answer:
    query_id = task.get_name()
    data = {"queryId": query_id, "getResultUrl": f"/queries/{query_id}/result", "queryAbortsAfterSecs": 300}
    return {"data": data, "code": code, "message": "Query execution in progress.", "success": True}


def inflated(raw: bytes) -> bytes:
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def request_id(request: Request) -> str:
    return request.query_params.get("requestId") or request.query_params.get("request_id") or ""


def token_of(request: Request) -> str:
    return request.headers.get("authorization", "").partition('Token="')[2].rstrip('"')


def stored_name(asked: str | None) -> str | None:
    if not asked:
        return None
    return asked[1:-1] if asked.startswith('"') else asked.upper()
