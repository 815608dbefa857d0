"""A run as a trace of OpenTelemetry: a span for the run, one within it for each phase, sent to a collector at the end.

Needs the extra `otel`. The SDK reads what else it knows from the process's environment, such as
OTEL_SERVICE_NAME. `error.type` and `service.*` are OpenTelemetry's names, `stockpipe.*` are ours.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stockpipe.base.installed import install_command
from stockpipe.base.text import is_safe_url
from stockpipe.base.version import __version__
from stockpipe.errors import Interrupted
from stockpipe.load.run import Run
from stockpipe.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

log = logging.getLogger(__name__)

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
TRACES_HEADERS = "OTEL_EXPORTER_OTLP_TRACES_HEADERS"
SECONDS = 5.0
_COUNTS = ("rows_fetched", "rows_published", "rows_rejected", "pages", "calls", "retries")


def send_trace(settings: Settings, run: Run, error: BaseException | None = None) -> None:
    """Send the trace of a run that has ended, with its error if it ended in one, where a collector is set.

    It takes 5 seconds at most. Whatever keeps it from being sent is a warning and nothing more; only a request to stop
    goes on its way.
    """
    endpoint, headers = settings.get(ENDPOINT), settings.get(TRACES_HEADERS) or settings.get(HEADERS)
    if endpoint is None:
        return
    if not _may_be_sent(endpoint, headers):
        log.warning("No trace was sent: %s has to begin with https:// (or http://, without headers).", ENDPOINT)
        return
    sent = False
    try:
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # one line of ours says it all
        spans = _spans(run, error)
        # An SDK that is switched off makes none.
        sent = not spans or _sent(f"{endpoint.rstrip('/')}/v1/traces", headers or "", spans)
    except Interrupted:
        raise
    except ImportError:
        log.info(
            "%s is set, but no trace is sent: OpenTelemetry is not installed. %s", ENDPOINT, install_command("otel")
        )
        return
    except Exception:  # a trace never changes how a run ends
        log.debug("the trace could not be made or sent", exc_info=True)
    if not sent:
        log.warning("The trace could not be sent to %s.", urlsplit(endpoint).hostname)


def _may_be_sent(endpoint: str, headers: str | None) -> bool:
    """Headers hold keys, so they leave this machine by https only; a trace without headers may go by http."""
    return is_safe_url(endpoint) or (headers is None and is_safe_url(re.sub("(?i)^http:", "https:", endpoint)))


def _spans(run: Run, error: BaseException | None) -> Sequence[ReadableSpan]:
    """The spans of a run, ended. ImportError without the extra."""
    from opentelemetry.context import Context
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.sdk.trace.sampling import ALWAYS_ON
    from opentelemetry.trace import StatusCode, set_span_in_context

    ended = InMemorySpanExporter()
    own = Resource({"service.name": "stockpipe", "service.version": __version__})
    provider = TracerProvider(ALWAYS_ON, own.merge(OTELResourceDetector().detect()), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(ended))
    tracer = provider.get_tracer("stockpipe", __version__)
    whole = tracer.start_span("run", Context(), attributes=_attributes(run), start_time=_nanoseconds(run.began))
    for span in run.spans:
        phase = tracer.start_span(span.phase, set_span_in_context(whole), start_time=_nanoseconds(span.began))
        phase.end(_nanoseconds(span.began + timedelta(seconds=span.seconds)))
    if error is not None:
        whole.set_attribute("error.type", type(error).__name__)
        whole.set_status(StatusCode.ERROR)
    whole.end(_nanoseconds(run.ended or run.clock.now()))
    return ended.get_finished_spans()


def _attributes(run: Run) -> dict[str, str | int]:
    first = run.records[0]
    about = {
        "run_id": run.run_id,
        "dataset": first.dataset,
        "market": first.market or "",
        "ds": first.ds.isoformat(),
        "status": first.status,
    }
    counts = {name: sum(getattr(record, name) for record in run.records) for name in _COUNTS}
    return {f"stockpipe.{name}": value for name, value in (about | counts).items()}


def _sent(url: str, headers: str, spans: Sequence[ReadableSpan]) -> bool:
    """Whether the collector took the spans. ImportError without the extra."""
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace.export import SpanExportResult
    from opentelemetry.util.re import parse_env_headers

    given = parse_env_headers(headers, liberal=True)
    with requests.Session() as session:
        session.hooks["response"].append(_refuse_redirect)
        exporter = OTLPSpanExporter(url, headers=given, timeout=SECONDS, session=session)
        return exporter.export(spans) is SpanExportResult.SUCCESS


def _refuse_redirect(answer: Any, **_: Any) -> None:
    """The exporter takes a redirect for success, and older ones follow it, with the headers."""
    import requests

    if 300 <= answer.status_code < 400:
        raise requests.HTTPError(f"HTTP {answer.status_code}", response=answer)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1_000
