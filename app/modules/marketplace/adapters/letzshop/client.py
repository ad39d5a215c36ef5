"""Calls of the Letzshop API: one address, one key, limits on time and size."""

import hashlib
import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx2
import orjson

from app.core.config import get_settings
from app.core.http_client import open_client, retry_after_seconds
from app.core.http_guard import UrlRefusedError
from app.modules.marketplace.adapters.letzshop import bucket
from app.modules.marketplace.adapters.letzshop.answers import Data, check_result, data_of
from app.modules.marketplace.adapters.letzshop.names import Document
from app.modules.marketplace.config import MarketplaceSettings
from app.modules.marketplace.exceptions import ChannelError, ChannelUnavailableError

LETZSHOP_URL = "https://letzshop.lu/graphql"
INTROSPECTION = "introspection"
_STAND_IN_KEYS = "lz_test_"
_STAND_IN_PATH = "/letzshop/graphql"
_MAX_ANSWER_BYTES = 16 * 1024 * 1024
_BUSY_SECONDS = 30.0  # where a busy server does not say how long

# Its lower levels write down every request.
logging.getLogger("httpx2").setLevel(logging.WARNING)


def api_url() -> tuple[str, bool]:
    """Where the API is, and whether that is a stand-in on this machine or its neighbour."""
    url = MarketplaceSettings().letzshop_url
    if url:
        return url, False
    sandbox_url = get_settings().sandbox_url
    return (f"{sandbox_url.rstrip('/')}{_STAND_IN_PATH}", True) if sandbox_url else (LETZSHOP_URL, False)


class LetzshopClient:
    """The API for one key, or for everybody without one. Use it in a ``with`` block, outside of transactions."""

    def __init__(self, key: str | None = None, *, url: str | None = None) -> None:
        found, is_neighbour = api_url()
        self._url = url or found
        self._key = key
        self.digest = hashlib.sha256(
            (key or "").encode()
        ).hexdigest()  # to know the key again without having it
        settings = get_settings()
        # The address comes from the environment or the command line, never from somebody on the web.
        if is_neighbour or url:
            host = httpx2.URL(self._url).host.lower()
            hosts = settings.http_allowed_private_hosts | {host}
            settings = settings.model_copy(update={"http_allowed_private_hosts": hosts})
        self._http = open_client(settings, total_seconds=MarketplaceSettings().letzshop_timeout_seconds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the network."""
        self._http.close()

    def ask(self, document: Document, variables: Mapping[str, Any] | None = None) -> Data:
        """The data of a document's answer. Raises ChannelUnavailableError, KeyRefusedError, RoleMissingError or
        SchemaDriftError, each with the HTTP status."""
        return self._call(document.operation, document.text, variables)

    def act(self, document: Document, variables: Mapping[str, Any]) -> None:
        """Do what a mutation says. Raises as `ask`, and ChannelRefusedError."""
        check_result(self.ask(document, variables))

    def introspect(self, question: str) -> Data:
        """What the API says of itself. Raises as `ask`."""
        return self._call(INTROSPECTION, question, None)

    def _call(self, operation: str, text: str, variables: Mapping[str, Any] | None) -> Data:
        if self._url == LETZSHOP_URL and (self._key or "").startswith(_STAND_IN_KEYS):
            raise ChannelUnavailableError("The stand-in for Letzshop does not run.")
        later = bucket.wait_for_turn(self._key or "")
        if later:
            raise ChannelUnavailableError("Letzshop has been called often enough for now.", retry_after=later)
        asked = {"query": text, "variables": dict(variables or {})}
        body = orjson.dumps(asked if operation == INTROSPECTION else {**asked, "operationName": operation})
        response, content = self._post(body)
        wait = retry_after_seconds(response)
        if response.status_code == 429:
            wait = wait or _BUSY_SECONDS
        if response.status_code in (429, 503):
            bucket.pause(self._key or "", wait)
        try:
            return data_of(operation, response.status_code, content, wait)
        except ChannelError as error:
            error.http_status = response.status_code
            raise

    def _post(self, body: bytes) -> tuple[httpx2.Response, bytes]:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            with self._http.stream("POST", self._url, content=body, headers=headers) as response:
                return response, _read(response)
        except httpx2.TimeoutException:
            raise ChannelUnavailableError("Letzshop took too long to answer.") from None
        except httpx2.HTTPError as error:
            raise ChannelUnavailableError(f"Letzshop cannot be reached ({type(error).__name__}).") from None
        except UrlRefusedError as error:
            raise ChannelUnavailableError(f"Letzshop cannot be reached: {error.detail}") from None


def _read(response: httpx2.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > _MAX_ANSWER_BYTES:
            raise ChannelUnavailableError("The answer of Letzshop is too large.")
    return bytes(content)
