"""The gate in a process and an environment of its own, with the face of `SnowflakeGate`.

`python -m snowflake_gate.remote` serves gates, one after the other, for the client that started it: calls come as pickles
over a pipe of loopback, guarded by a key that the client made. A process that has no gate waits for the next one, since
starting it takes longer than most tests.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Callable
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any, Self

_KEY = "GATE_KEY"
_PYTHON = "GATE_PYTHON"
_idle: list[Connection[Any, Any]] = []


class RemoteGate:
    """What tests ask of a SnowflakeGate: its calls, its plain attributes, and its lists as copies that can be cleared and appended to."""

    def __init__(self, **options: Any) -> None:
        self._options = options

    def __enter__(self) -> Self:
        self._pipe = _idle.pop() if _idle else _started()
        self._pipe.send(self._options)
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.send(None)
        self._pipe.recv()  # the gate is closed
        _idle.append(self._pipe)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        kind, value = self._ask("get", name)
        if kind == "call":
            return lambda *args, **more: self._ask("call", name, args, more)
        if isinstance(value, list):
            return _List(value, lambda: self._ask("clear", name), lambda item: self._ask("append", name, item))
        return _Dict(value, lambda key, item: self._ask("put", name, key, item)) if isinstance(value, dict) else value

    def _ask(self, *question: object) -> Any:
        self._pipe.send(question)
        good, answer = self._pipe.recv()
        if not good:
            raise answer
        return answer


def _started() -> Connection[Any, Any]:
    """A process that serves gates until this one ends."""
    key = secrets.token_hex(16)
    with Listener(("127.0.0.1", 0), authkey=key.encode()) as listener:
        process = subprocess.Popen(
            [os.environ[_PYTHON], "-m", "snowflake_gate.remote", str(listener.address[1])],
            env=_without(_PYTHON) | {_KEY: key, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        pipe: Connection[Any, Any] = listener.accept()
    atexit.register(_ended, process, pipe)
    return pipe


def _ended(process: subprocess.Popen[bytes], pipe: Connection[Any, Any]) -> None:
    pipe.close()
    process.wait(30)


def _without(name: str) -> dict[str, str]:
    return {key: text for key, text in os.environ.items() if key != name}


class _List(list[Any]):
    def __init__(self, items: list[Any], clear: Callable[[], object], append: Callable[[Any], object]) -> None:
        super().__init__(items)
        self._clear, self._append = clear, append

    def clear(self) -> None:
        self._clear()
        super().clear()

    def append(self, item: Any) -> None:
        self._append(item)
        super().append(item)


class _Dict(dict[str, Any]):
    def __init__(self, items: dict[str, Any], put: Callable[[str, Any], object]) -> None:
        super().__init__(items)
        self._put = put

    def __setitem__(self, key: str, value: Any) -> None:
        self._put(key, value)
        super().__setitem__(key, value)

    def update(self, *items: Any, **more: Any) -> None:
        for key, value in dict(*items, **more).items():
            self[key] = value


def _serve(pipe: Connection[Any, Any]) -> None:
    """Answer the client until it goes, with a gate for each set of options."""
    from snowflake_gate.server import SnowflakeGate

    with contextlib.suppress(EOFError):
        while True:
            with SnowflakeGate(**pipe.recv()) as gate:
                for what, name, *rest in iter(pipe.recv, None):
                    try:
                        pipe.send((True, _done(getattr(gate, name), what, rest)))
                    except Exception as error:  # noqa: BLE001 - raised in the test that asked
                        pipe.send((False, error))
            pipe.send(None)


def _done(found: Any, what: str, rest: list[Any]) -> Any:
    match what:
        case "get":
            return ("call", None) if callable(found) else ("value", found)
        case "call":
            return found(*rest[0], **rest[1])
        case "clear":
            return found.clear()
        case "append":
            return found.append(rest[0])
    found[rest[0]] = rest[1]
    return None


if __name__ == "__main__":
    with Client(("127.0.0.1", int(sys.argv[1])), authkey=os.environ[_KEY].encode()) as connection:
        _serve(connection)
