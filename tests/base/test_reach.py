"""Can a host be reached: directly, and through a proxy that lets it through or does not."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from stockpipe.base.reach import why_not_reached
from support.proxies import connect_proxy

FAR = "storage.example"


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_this_machine(listening: int) -> None:
    assert why_not_reached("127.0.0.1", listening, 5.0) == ""
    assert why_not_reached("127.0.0.1", 9, 5.0) == "Connection refused"


def test_a_name_that_nobody_knows_and_a_host_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(error: OSError) -> None:
        def connect(*_: object, **__: object) -> socket.socket:
            raise error

        monkeypatch.setattr(socket, "create_connection", connect)

    fails(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    assert why_not_reached(FAR, 443, 5.0) == "its name is not known here (Name or service not known)"
    fails(TimeoutError("timed out"))
    assert why_not_reached(FAR, 443, 5.0) == "no answer within 5 s"


def test_a_proxy_is_asked_for_the_host_and_told_apart_from_it(listening: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with connect_proxy(listening, password="me:secret") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{proxy.address}")
        assert why_not_reached(FAR, 443, 5.0) == ""
        assert proxy.asked == [f"{FAR}:443"]
        named = f"the proxy {proxy.address} (HTTPS_PROXY)"
        proxy.status = "403 Forbidden"
        assert why_not_reached(FAR, 443, 5.0) == f"{named} refuses to connect to it: HTTP/1.1 403 Forbidden"
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert why_not_reached("127.0.0.1", listening, 5.0) == ""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert why_not_reached(FAR, 443, 5.0) == "the proxy 127.0.0.1:9 (HTTPS_PROXY): Connection refused"
