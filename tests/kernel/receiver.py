"""A Sentry and an OpenTelemetry collector on this machine: they keep what they are sent."""

import gzip
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Receiver:
    """Takes what is posted; also answers GET, to be called by the platform."""

    def __init__(self) -> None:
        self.posted: list[tuple[str, bytes]] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_packed = self.headers.get("Content-Encoding") == "gzip"
                receiver.posted.append((self.path, gzip.decompress(body) if is_packed else body))
                self.do_GET()

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    @property
    def dsn(self) -> str:
        return f"http://public@{self.address}/1"

    def events(self, count: int = 1) -> list[dict[str, Any]]:
        """Events that Sentry got, once there are so many."""
        self._wait_for("/envelope/", count)
        envelopes = [body.split(b"\n") for path, body in self.posted if path.endswith("/envelope/")]
        return [json.loads(lines[2]) for lines in envelopes]

    def spans(self, *names: str) -> dict[str, Span]:
        """Spans that the collector got, by name, once those are there."""
        end = time.monotonic() + 10
        while True:
            found = {span.name: span for span in self._spans()}
            if set(names) <= set(found):
                return found
            assert time.monotonic() < end, f"{names} are not all in {sorted(found)}"
            time.sleep(0.02)

    def _spans(self) -> list[Span]:
        requests = [
            ExportTraceServiceRequest.FromString(body)
            for path, body in list(self.posted)
            if path == "/v1/traces"
        ]
        return [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def _wait_for(self, path: str, count: int) -> None:
        end = time.monotonic() + 10
        while sum(posted.endswith(path) for posted, _ in self.posted) < count:
            assert time.monotonic() < end, f"nothing came to {path}"
            time.sleep(0.02)

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()


def attributes_of(span: Span) -> dict[str, str | int]:
    """The span's attributes."""
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}
