"""A company's proxy stands between us and both services; this machine itself is reached without one."""

from __future__ import annotations

import json
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import stockpipe
from conftest import Serve, command, flags, many
from snowflake_gate import SnowflakeGate
from stockpipe.datasets import TICKERS
from stockpipe.errors import ApiError, ConfigError
from stockpipe.massive.answers import Answer, read_page
from support.clocks import FakeClock
from support.loads import load
from support.proxies import connect_proxy
from support.tls import HOST, Secure


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What went through a proxy that http_proxy names."""
    urls: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def pass_on(self) -> None:
            urls.append(self.path.split("?")[0])
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            asked = urllib.request.Request(self.path, body, dict(self.headers), method=self.command)
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked) as answer:
                    content, headers = answer.read(), answer.headers
            except urllib.error.URLError:  # the connector also asks hosts that tell in which cloud it runs
                self.send_error(502)
                return
            self.send_response(200)
            for name in ("Content-Type", "Content-Encoding", "ETag"):
                if headers[name]:
                    self.send_header(name, headers[name])
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_HEAD = pass_on  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
        yield urls
        server.shutdown()


@pytest.fixture
def far(secure: Secure, monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Settings for an API whose name no DNS knows: only through a proxy is it reached."""
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.cert))
    return {
        "POLYGON_API_KEY": "sandbox-key",
        "MASSIVE_BASE_URL": f"https://{HOST}",
        "MASSIVE_PLAN": "paid",
        "STOCKPIPE_PARALLEL_CALLS": "1",
    }


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("form", ["http://{}", "{}", "HTTP://{}/"])
def test_the_api_is_reached_through_the_proxy_that_is_set(
    far: dict[str, str | None], secure: Secure, name: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy(secure.port) as proxy:
        monkeypatch.setenv(name, form.format(proxy.address))
        assert load(far).rows == 1500
    assert proxy.asked == [f"{HOST}:443"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("us%20er:p%40ss", "us er:p@ss"),
        ("user:p@ss", "user:p@ss"),
        ("user:a%3Ab%2Fc%25", "user:a:b/c%"),
        ("user:100%", "user:100%"),
        ("user:%C3%A9", "user:é"),
        ("user", "user:"),
        ("DOMAIN%5Cuser:x", "DOMAIN\\user:x"),
    ],
)
def test_user_and_password_are_percent_decoded(
    far: dict[str, str | None], secure: Secure, written: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy(secure.port, password=meant) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{written}@{proxy.address}")
        assert load(far).rows == 1500


@pytest.mark.parametrize(
    ("user", "what"),
    [
        ("me:never-to-be-shown@", "did not accept the user and password"),
        ("", "asks for a user and a password"),
    ],
)
def test_a_407_names_the_proxys_setting_and_is_not_asked_again(
    far: dict[str, str | None], secure: Secure, user: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy(secure.port, password="me:right") as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}{proxy.address}")
        with pytest.raises(ConfigError) as caught:
            load(far)
    assert caught.value.message == f"The proxy {proxy.address} (HTTPS_PROXY) {what} (HTTP 407)."
    assert "Set HTTPS_PROXY=http://user:password@host:port." in caught.value.hint
    assert "never-to-be-shown" not in str(caught.value)
    assert len(proxy.asked) == 1


def test_a_407_from_a_proxy_that_nobody_set_says_how_one_is_set() -> None:
    with pytest.raises(ConfigError, match="A proxy on the way to the host asks for a user") as caught:
        read_page(Answer(407, {}, b"<html>Access denied"), TICKERS.source, on_cursor=False, now=FakeClock().now())
    assert "Set HTTPS_PROXY=" in caught.value.hint


def test_a_proxy_that_lets_nobody_through_to_the_host_is_not_asked_again(
    far: dict[str, str | None], secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy(secure.port, status="403 Forbidden") as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        with pytest.raises(ConfigError) as caught:
            load(far)
    assert caught.value.message == (
        f"The proxy {proxy.address} (https_proxy) refuses to connect to the host: 403 Forbidden."
    )
    assert "NO_PROXY" in caught.value.hint
    assert len(proxy.asked) == 1


def test_a_proxy_that_cannot_reach_the_host_now_is_asked_again_and_named(
    far: dict[str, str | None], secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy(secure.port, status="502 Bad Gateway") as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        with pytest.raises(ApiError) as caught:
            load(far)
    assert f"the proxy {proxy.address} (https_proxy) could not connect to it: 502 Bad Gateway" in caught.value.message
    assert len(proxy.asked) == 6


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "why"),
    [("127.0.0.1", "Connection refused"), ("proxy.invalid", "no address is known for the host name proxy.invalid")],
)
def test_a_proxy_that_cannot_be_reached_is_named(
    far: dict[str, str | None], host: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"{host}:{free_port()}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:never-to-be-shown@{address}")
    with pytest.raises(ApiError, match="in 6 tries") as caught:
        load(far)
    assert f"the proxy {address} (HTTPS_PROXY) could not be reached: " in caught.value.message
    assert why in caught.value.message
    assert "Check HTTPS_PROXY" in caught.value.hint
    assert "never-to-be-shown" not in str(caught.value)


def test_a_host_name_that_does_not_exist_is_asked_again_and_named() -> None:
    with pytest.raises(ApiError, match="in 6 tries") as caught:
        load({"POLYGON_API_KEY": "a-test-key", "MASSIVE_BASE_URL": "https://api.massive.invalid"})
    assert "no address is known for the host name api.massive.invalid" in caught.value.message
    assert "Check the host name in MASSIVE_BASE_URL, the network and its DNS." in caught.value.hint


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("socks5://127.0.0.1:1080", "names a SOCKS proxy"),
        ("socks5h://u:never-to-be-shown@127.0.0.1:1080", "names a SOCKS proxy"),
        ("socks://127.0.0.1:1080/", "names a SOCKS proxy"),
        ("socks4a://127.0.0.1", "names a SOCKS proxy"),
        ("ftp://127.0.0.1:21", "is not the URL of a proxy"),
        ("http://", "is not the URL of a proxy"),
        ("http://proxy:never-to-be-shown", "is not the URL of a proxy"),
        ("http://proxy:99999", "is not the URL of a proxy"),
        ("http://[::1:3128", "is not the URL of a proxy"),
        ("http://user:never-to/be-shown@proxy:3128", "is not the URL of a proxy"),
        ("http://user:12/never-to-be-shown@proxy:3128", "is not the URL of a proxy"),
        ("http://user:12#never-to-be-shown@proxy:3128", "is not the URL of a proxy"),
        ("http://two words:3128", "is not the URL of a proxy"),
        ("http://bücher.example:3128", "is not the URL of a proxy"),
    ],
)
@pytest.mark.parametrize("name", ["https_proxy", "ALL_PROXY"])
def test_a_proxy_that_cannot_be_used_is_refused_before_the_first_call(
    far: dict[str, str | None], name: str, url: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, url)
    with pytest.raises(ConfigError, match=f"^{name} {message}") as caught:
        load(far)
    assert f"{name}=http://user:password@host:port" in caught.value.hint
    assert "be-shown" not in str(caught.value)


@pytest.mark.parametrize(
    "excepted", [HOST, "massive.test", ".massive.test", "x, " + HOST, f"{HOST}:443", "*", f"https://{HOST}"]
)
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_no_proxy_goes_around_it(
    far: dict[str, str | None], secure: Secure, name: str, excepted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy(secure.port) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        monkeypatch.setenv(name, excepted)
        with pytest.raises(ApiError, match="no address is known"):  # it went there directly
            load(far)
    assert proxy.asked == []


def test_no_proxy_for_another_host_changes_nothing(
    far: dict[str, str | None], secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect_proxy(secure.port) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        monkeypatch.setenv("no_proxy", f"localhost,{HOST}:8443,other.test")
        assert load(far).rows == 1500


def test_the_certificate_of_the_host_is_verified_behind_a_proxy_too(
    far: dict[str, str | None], secure: Secure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with connect_proxy(secure.port) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
        with pytest.raises(ApiError, match=rf"The certificate of {HOST} could not be verified"):
            load(far)
    assert len(proxy.asked) == 1


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_this_machine_is_reached_without_a_proxy(serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    assert load(flags(serve(many(4)))).rows == 4


def test_the_demo_needs_no_proxy() -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    done = command(
        "demo",
        "--market",
        "crypto",
        "-q",
        env={"HTTP_PROXY": nowhere, "http_proxy": nowhere, "ALL_PROXY": "socks5://x"},
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_snowflake_is_reached_through_the_proxy_and_the_sandbox_without(serve: Serve, seen: list[str]) -> None:
    sandbox = serve(many(4))
    with SnowflakeGate() as gate:
        stockpipe.load(settings=flags(sandbox) | gate.env())
        assert gate.rows("SELECT count(*) FROM tickers") == [(4,)]
        assert f"http://127.0.0.1:{gate.port}/session/v1/login-request" in seen
    assert not [url for url in seen if url.startswith(sandbox.url)]


@pytest.mark.parametrize(
    ("proxy", "code", "says"),
    [
        ("http://me:never-to-be-shown@{down}", 5, "the proxy {down} (HTTPS_PROXY) could not be reached"),
        ("socks5://{down}", 3, "HTTPS_PROXY names a SOCKS proxy"),
        ("http://proxy:port", 3, "HTTPS_PROXY is not the URL of a proxy."),
        ("http://me:never-to-be-shown@{up}", 3, "The proxy {up} (HTTPS_PROXY) did not accept the user and password"),
    ],
)
def test_the_doctor_survives_every_proxy_and_says_what_a_run_says(
    far: dict[str, str], secure: Secure, proxy: str, code: int, says: str
) -> None:
    with connect_proxy(secure.port, password="me:right") as up:
        words = {"down": f"127.0.0.1:{free_port()}", "up": up.address}
        done = command("doctor", "--json", env=far | {"HTTPS_PROXY": proxy.format(**words)})
    found = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert (found["API"]["level"], found["API"]["exit_code"], found["key"]["level"]) == ("FAIL", code, "SKIP")
    assert says.format(**words) in found["API"]["text"]
    assert "HTTPS_PROXY" in found["API"]["remedy"]
    assert "never-to-be-shown" not in done.stdout + done.stderr
    assert "disk" in found
