"""The trace of a run, against a collector on this machine that reads what the real exporter sends."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

import stockpipe
from conftest import Serve, flags, many
from stockpipe import __version__
from stockpipe.base.clock import Clock
from stockpipe.base.installed import install_command
from stockpipe.base.stopping import stopped_by
from stockpipe.errors import AccessError, Interrupted
from stockpipe.observe import otel as telemetry
from stockpipe.settings import load_settings
from support.clocks import Morning
from support.loads import load_day

TOKEN = "token-never-to-be-shown"


@dataclass
class Collector:
    """What a collector got; it answers with `status`."""

    url: str = ""
    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    def spans(self) -> dict[str, Span]:
        """The spans by name, of all that came."""
        found: dict[str, Span] = {}
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found |= {span.name: span for scope in resource.scope_spans for span in scope.spans}
        return found

    def resource(self) -> dict[str, str]:
        """The attributes of what sent them."""
        (resource,) = ExportTraceServiceRequest.FromString(self.bodies[0]).resource_spans
        return {pair.key: pair.value.string_value for pair in resource.resource.attributes}


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            collector.paths.append(self.path)
            collector.tokens.append(self.headers["X-Token"])
            self.send_response(collector.status)
            if 300 <= collector.status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        collector.url = f"http://127.0.0.1:{server.server_port}"
        yield collector
        server.shutdown()


def load(env: dict[str, str], clock: Clock | None = None) -> None:
    load_day(clock or Morning(), env)


def attributes(span: Span) -> dict[str, str | int]:
    return {
        pair.key: pair.value.int_value if pair.value.HasField("int_value") else pair.value.string_value
        for pair in span.attributes
    }


def test_a_run_and_its_phases(serve: Serve, collector: Collector) -> None:
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": f"X-Token={TOKEN}"}
    load(flags(serve(many(1500))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"{collector.url}/"} | headers)
    assert (collector.paths, collector.tokens) == (["/v1/traces"], [TOKEN])
    spans = collector.spans()
    assert list(spans) == ["prepare", "fetch", "check", "publish", "run"]
    run = spans.pop("run")
    assert run.parent_span_id == b""
    assert {span.parent_span_id for span in spans.values()} == {run.span_id}
    assert {span.trace_id for span in spans.values()} == {run.trace_id}
    assert all(run.start_time_unix_nano <= span.start_time_unix_nano for span in spans.values())
    assert all(span.start_time_unix_nano < span.end_time_unix_nano for span in spans.values())
    assert run.start_time_unix_nano == 1_770_456_600_000_000_000
    known = attributes(run)
    assert str(known.pop("stockpipe.run_id")).startswith("20260207T093000000Z-")
    assert known == {
        "stockpipe.dataset": "tickers",
        "stockpipe.market": "stocks",
        "stockpipe.ds": "2026-02-07",
        "stockpipe.status": "published",
        "stockpipe.rows_fetched": 1500,
        "stockpipe.rows_published": 1500,
        "stockpipe.rows_rejected": 0,
        "stockpipe.pages": 2,
        "stockpipe.calls": 2,
        "stockpipe.retries": 0,
    }
    assert run.status.code == Status.STATUS_CODE_UNSET
    assert collector.resource()["service.name"] == "stockpipe"
    assert collector.resource()["service.version"] == __version__
    assert TOKEN.encode() not in collector.bodies[0]


def test_a_run_that_fails(serve: Serve, collector: Collector) -> None:
    env = flags(serve(many(3))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with pytest.raises(AccessError):
        load(env | {"POLYGON_API_KEY": "wrong-key-never-to-be-shown"})
    spans = collector.spans()
    assert list(spans) == ["prepare", "fetch", "run"]
    assert spans["run"].status.code == Status.STATUS_CODE_ERROR
    known = attributes(spans["run"])
    assert (known["error.type"], known["stockpipe.status"]) == ("AccessError", "failed")
    assert b"never-to-be-shown" not in collector.bodies[0]


def test_the_environment_names_the_service(serve: Serve, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "reference-data")
    load(flags(serve(many(3))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    assert collector.resource()["service.name"] == "reference-data"


@pytest.mark.parametrize("status", [503, 401, 302, 307])
def test_a_collector_that_refuses_changes_nothing(
    serve: Serve, collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(telemetry, "SECONDS", 0.2)
    collector.status = status
    load(flags(serve(many(3))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    warnings = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings[-1] == "The trace could not be sent to 127.0.0.1."
    assert collector.paths == ["/v1/traces"]


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://127.0.0.1:1", "The trace could not be sent to 127.0.0.1."),
        ("collector:4317", "No trace was sent: OTEL_EXPORTER_OTLP_ENDPOINT has to begin with"),
        ("http://[", "No trace was sent: OTEL_EXPORTER_OTLP_ENDPOINT has to begin with"),
        ("http://collector.example:4318", "No trace was sent: OTEL_EXPORTER_OTLP_ENDPOINT has to begin with"),
    ],
)
def test_an_endpoint_that_is_of_no_use_changes_nothing(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, endpoint: str, said: str
) -> None:
    monkeypatch.setattr(telemetry, "SECONDS", 0.2)
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_HEADERS": f"X-Token={TOKEN}"}
    load(flags(serve(many(3))) | settings)
    assert [record.getMessage() for record in caplog.records][-1].startswith(said)
    assert TOKEN not in caplog.text


@pytest.mark.parametrize("absent", ["opentelemetry.context", "opentelemetry.exporter.otlp.proto.http.trace_exporter"])
def test_without_the_extra_or_half_of_it_a_line_says_so(
    serve: Serve, collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, absent: str
) -> None:
    caplog.set_level(logging.INFO, "stockpipe")
    monkeypatch.setitem(sys.modules, absent, None)
    load(flags(serve(many(3))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    assert install_command("otel") in caplog.records[-1].getMessage()
    assert collector.bodies == []


@pytest.mark.parametrize(
    ("name", "text"), [("OTEL_ATTRIBUTE_COUNT_LIMIT", "abc"), ("OTEL_SPAN_EVENT_COUNT_LIMIT", "-1")]
)
def test_what_the_sdk_refuses_changes_nothing(
    serve: Serve, collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
    name: str, text: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG, "stockpipe")
    monkeypatch.setenv(name, text)
    load(flags(serve(many(3))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    assert caplog.records[-1].getMessage() == "The trace could not be sent to 127.0.0.1."
    assert f"{name} must be a non-negative integer" in caplog.text
    assert collector.bodies == []


def test_an_sdk_that_is_switched_off_sends_nothing(
    serve: Serve, collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    load(flags(serve(many(3))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    assert collector.bodies == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS"])
def test_headers_of_the_environment_leave_this_machine_by_https_only(
    serve: Serve, collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    # What would go to another machine in the clear goes through this proxy.
    monkeypatch.setenv("http_proxy", collector.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv(name, f"X-Token={TOKEN}")
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector.example:4318"}
    stockpipe.load(settings=flags(serve(many(3))) | endpoint)
    assert caplog.records[-1].getMessage().startswith("No trace was sent: OTEL_EXPORTER_OTLP_ENDPOINT has to begin")
    assert (collector.paths, TOKEN in caplog.text) == ([], False)


def test_headers_for_traces_go_before_those_for_everything(serve: Serve, collector: Collector) -> None:
    both = {"OTEL_EXPORTER_OTLP_HEADERS": "X-Token=other", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": f"X-Token={TOKEN}"}
    settings = flags(serve(many(3))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url} | both
    load(settings)
    assert collector.tokens == [TOKEN]
    assert {"X-Token=other", f"X-Token={TOKEN}"} <= load_settings(settings, env={}).secrets


def test_a_stop_while_the_trace_is_made_is_heeded(
    serve: Serve, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(ModuleType):
        """A module whose use is cut short by a signal."""

        def __getattr__(self, name: str) -> object:
            raise stopped_by(signal.SIGTERM)

    monkeypatch.setitem(sys.modules, "opentelemetry.context", Stopped("opentelemetry.context"))
    with pytest.raises(Interrupted) as stopped:
        load(flags(serve(many(3))) | {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    assert stopped.value.exit_code == 143


def test_the_trace_goes_after_the_alerts_and_does_not_count_them(serve: Serve, collector: Collector) -> None:
    class Ticking(Morning):
        """A clock that goes on by a minute with each request to the collector."""

        def now(self) -> datetime:
            return super().now() + timedelta(minutes=len(collector.paths))

    receivers = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "STOCKPIPE_PING_URL": f"{collector.url}/ping"}
    load(flags(serve(many(3))) | receivers, Ticking())
    assert collector.paths == ["/ping/start", "/ping", "/v1/traces"]
    run = Collector(bodies=collector.bodies[-1:]).spans()["run"]
    assert run.end_time_unix_nano - run.start_time_unix_nano == 60_000_000_000
