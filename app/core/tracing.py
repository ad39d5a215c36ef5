"""Errors to Sentry and traces to OpenTelemetry, each only where its setting is there.

Both come with the extra ``observability``; nothing of it is imported while both settings are unset. What leaves the
platform are exception types, masked messages, places in the code and the ids of request and job: no bodies, no query
strings, no local variables, nothing about people.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from importlib.metadata import version
from typing import Any, Literal

from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.core.logging import MASK, mask

_EXPORT_SECONDS = 5.0
_FLUSH_SECONDS = 2.0
_BATCH_MILLISECONDS = 1000
_KINDS = {"internal": "INTERNAL", "client": "CLIENT", "consumer": "CONSUMER"}
Kind = Literal["internal", "client", "consumer"]
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

_given: ContextVar[str | None] = ContextVar("given_traceparent", default=None)
_lock = threading.Lock()
_tracer: Any = None
_provider: Any = None
_sentry: Any = None


def start_tracing(settings: Settings, process: str) -> None:
    """Begin to send what the settings ask for; ``process`` (web, worker, beat) stands with everything.

    Raises ConfigurationError for an address that is none, and when the extra is missing. Once in a process.
    """
    with _lock:
        if settings.sentry_dsn is not None and _sentry is None:
            _start_sentry(settings, process)
        if settings.otlp_endpoint is not None and _tracer is None:
            _start_traces(settings.otlp_endpoint, process)


def stop_tracing() -> None:
    """Send what waits, within seconds, and send nothing from now on."""
    global _tracer, _provider, _sentry
    with _lock:
        if _sentry is not None:
            _sentry.get_client().close(timeout=_FLUSH_SECONDS)
            _sentry.get_global_scope().set_client(None)
        if _provider is not None:
            _provider.shutdown()
        _tracer = _provider = _sentry = None


def tracer_provider() -> Any:
    """What the web framework is to make its spans with; None while no traces are sent."""
    return _provider


def begin_trace(header: str | None) -> str | None:
    """Take over the trace that a request says it belongs to (header ``traceparent``); returns the trace's id.

    None where the header is missing or none of W3C's, unless traces are sent: then each request has a trace.
    """
    _given.set(header if header and _TRACEPARENT.fullmatch(header) else None)
    return trace_id_of(present_trace())


def present_trace() -> str | None:
    """The trace, and the place in it, of what is going on in this context, as ``traceparent`` says it."""
    if _tracer is not None:
        found = import_module("opentelemetry.trace").get_current_span().get_span_context()
        if found.is_valid:
            return f"00-{found.trace_id:032x}-{found.span_id:016x}-{found.trace_flags:02x}"
    return _given.get()


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace's id, 32 hexadecimal digits."""
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    return found[1] if found else None


@contextmanager
def continued(traceparent: str | None) -> Iterator[None]:
    """Within the block, what goes on belongs to a trace that began elsewhere; None: to none."""
    marker = _given.set(traceparent)
    try:
        if _tracer is None or traceparent is None:
            yield
            return
        context = import_module("opentelemetry.context")
        found = import_module("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator()
        attached = context.attach(found.extract({"traceparent": traceparent}))
        try:
            yield
        finally:
            context.detach(attached)
    finally:
        _given.reset(marker)


@contextmanager
def span(name: str, kind: Kind = "internal", **attributes: str | int) -> Iterator[None]:
    """A span around the block, below the present one; ``__`` in an attribute's name stands for a dot.

    Costs nothing while no traces are sent. An exception is named in the span by its type only, and passes.
    """
    if _tracer is None:
        yield
        return
    trace = import_module("opentelemetry.trace")
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    with _tracer.start_as_current_span(
        name,
        kind=getattr(trace.SpanKind, _KINDS[kind]),
        attributes=named,
        record_exception=False,
        set_status_on_exception=False,
    ) as present:
        try:
            yield
        except Exception as error:
            present.set_attribute("error.type", type(error).__name__)
            present.set_status(trace.StatusCode.ERROR)
            raise


def report_error(error: BaseException, **tags: str) -> None:
    """Send an unexpected error; nothing happens while no DSN is set."""
    if _sentry is None:
        return
    with _sentry.new_scope() as scope:
        for name, value in tags.items():
            scope.set_tag(name, value)
        scope.capture_exception(error)


def _start_sentry(settings: Settings, process: str) -> None:
    global _sentry
    assert settings.sentry_dsn is not None
    sentry = _load("sentry_sdk", "WIZAMART_SENTRY_DSN")
    try:
        sentry.init(
            dsn=settings.sentry_dsn.get_secret_value(),
            release=version("wizamart"),
            environment=settings.env,
            # Errors are reported where we catch them; integrations would collect requests, queries and log lines.
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[],
            send_default_pii=False,
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            traces_sample_rate=None,
            send_client_reports=False,
            shutdown_timeout=_FLUSH_SECONDS,
            before_send=_masked,
        )
    except sentry.utils.BadDsn as error:
        raise ConfigurationError(
            f"WIZAMART_SENTRY_DSN is no address of Sentry: {mask(str(error))}."
        ) from None
    sentry.get_global_scope().set_tag("process", process)
    _sentry = sentry


def _masked(event: dict[str, Any], _hint: Mapping[str, Any]) -> dict[str, Any]:
    for error in (event.get("exception") or {}).get("values") or ():
        error["value"] = mask(error.get("value"))
    for name in ("request", "user", "extra", "breadcrumbs", "modules", "server_name"):
        event.pop(name, None)
    return event


def _start_traces(endpoint: str, process: str) -> None:
    global _tracer, _provider
    if not endpoint.startswith(("http://", "https://")):
        raise ConfigurationError("WIZAMART_OTLP_ENDPOINT is no address such as http://127.0.0.1:4318.")
    wanted = "WIZAMART_OTLP_ENDPOINT"
    exporters = _load("opentelemetry.exporter.otlp.proto.http.trace_exporter", wanted)
    sdk, resources = _load("opentelemetry.sdk.trace", wanted), _load("opentelemetry.sdk.resources", wanted)
    export = _load("opentelemetry.sdk.trace.export", wanted)
    resource = resources.Resource.create(
        {"service.name": f"wizamart-{process}", "service.version": version("wizamart")}
    )
    provider = sdk.TracerProvider(resource=resource)
    provider.add_span_processor(_without_queries(sdk.SpanProcessor))
    exporter = exporters.OTLPSpanExporter(
        endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_SECONDS
    )
    provider.add_span_processor(
        export.BatchSpanProcessor(exporter, schedule_delay_millis=_BATCH_MILLISECONDS)
    )
    _tracer, _provider = provider.get_tracer("wizamart"), provider


def _without_queries(base: Any) -> Any:
    """A processor that hides query strings, which hold what people search for, and tokens of links in mails."""

    def on_start(_self: object, started: Any, **_: object) -> None:
        if "url.query" in (started.attributes or {}):
            started.set_attribute("url.query", MASK)

    hide: Callable[[], Any] = type("WithoutQueries", (base,), {"on_start": on_start})
    return hide()


def _load(name: str, variable: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"{variable} is set but {name.partition('.')[0]} is not installed. "
            "Run: pip install 'wizamart[observability]'"
        ) from None
