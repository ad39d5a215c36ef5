import io
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from app.core.config import Settings
from app.core.errors import ConfigurationError
from app.core.logging import MASK, bind, clear, configure_logging, mask

NAMES = (
    "",
    "uvicorn",
    "uvicorn.access",
    "uvicorn.error",
    "celery",
    "celery.task",
    "sqlalchemy",
    "kernel.test",
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in NAMES]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    configured = structlog.get_config()
    clear()
    yield
    clear()
    structlog.configure(**configured)
    for logger, handlers, level, propagate in before:
        logger.handlers[:], logger.propagate = handlers, propagate
        logger.setLevel(level)


Start = Callable[..., io.StringIO]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    def configure(
        log_format: str = "json", level: str = "INFO", stream: io.StringIO | None = None
    ) -> io.StringIO:
        stream = stream or io.StringIO()
        monkeypatch.setattr(sys, "stderr", stream)
        settings = Settings.model_validate({"log_format": log_format, "log_level": level})
        configure_logging(settings, "worker")
        return stream

    return configure


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def log() -> Any:
    return structlog.stdlib.get_logger("kernel.test")


class TestMask:
    @pytest.mark.parametrize(
        "key",
        [
            "password", "new_password", "PASSWORD", "client_secret", "access_token", "csrfToken",
            "Authorization", "Cookie", "set-cookie", "api_key", "apiKey", "X-API-Key",
            "card", "card_number", "cardNumber",
            "cvc", "encryption_keys", "secret_key", "private-key", "session_id", "iban", "credentials",
            "code_hash",
        ],
    )  # fmt: skip
    def test_values_under_secret_keys(self, key: str) -> None:
        assert mask({key: "hunter2"}) == {key: MASK}
        assert mask({"a": [{"b": ({key: ["hunter2"]},)}]}) == {"a": [{"b": [{key: MASK}]}]}
        assert mask({key: 4111111111111111}) == {key: MASK}

    @pytest.mark.parametrize(
        "key",
        ["idempotency_key", "unique_key", "discard", "cardinality", "key", "author", "session", "pass_count"],
    )
    def test_other_keys_stay_readable(self, key: str) -> None:
        assert mask({key: "plain"}) == {key: "plain"}

    def test_nothing_is_not_a_secret(self) -> None:
        value = {"password": None, "has_password": True, "token": ""}
        assert mask(value) == value

    @pytest.mark.parametrize(
        ("text", "masked"),
        [
            ("Bearer abc.def-ghi=", "Bearer ***"),
            ("key wm_live_A1b2C3 used", "key wm_live_*** used"),
            ("whsec_MfKQ9r8/GKY+x=", "whsec_***"),
            ("sk_test_51abc", "sk_test_***"),
            ("postgresql://shop:hunter2@db:5432/x", "postgresql://shop:***@db:5432/x"),
            ("redis://:p@ss@cache/0", "redis://:***@cache/0"),
            ("GET /reset?token=abc123&x=1 HTTP/1.1", "GET /reset?token=***&x=1 HTTP/1.1"),
            ("password=hunter2, user=zoe", "password=***, user=zoe"),
            ('{"password": "two words, \\" and", "user": "zoe"}', '{"password": "***", "user": "zoe"}'),
            ("{'api_key': 'abc', 'n': 1}", "{'api_key': '***', 'n': 1}"),
            ("{'password': b'abc'}", "{'password': b'***'}"),
            ("Authorization: Basic dXNlcjpwdw==", "Authorization: ***"),
            ("Cookie: a=b; c=d", "Cookie: ***"),
            ("at eyJhbGciOiJI.eyJzdWIi.c2ln now", "at *** now"),
        ],
    )
    def test_secrets_in_texts(self, text: str, masked: str) -> None:
        assert mask(text) == masked
        assert mask(masked) == masked

    def test_escaped_json_in_a_text(self) -> None:
        text = json.dumps({"body": json.dumps({"password": "hunter2"})})
        assert "hunter2" not in mask(text)

    @pytest.mark.parametrize(
        "text",
        [
            "https://shop.example/a:b/c?d=e", "12:30:00 started", "order wm_123 shipped",
            "mail zoe@example.lu", "The bear carried a card", "Basic plan booked", "token expired",
        ],
    )  # fmt: skip
    def test_plain_texts_stay(self, text: str) -> None:
        assert mask(text) == text

    def test_headers_as_pairs_of_bytes(self) -> None:
        headers = [(b"host", b"shop.lu"), (b"authorization", b"Basic abc"), (b"cookie", b"sid=1")]
        assert mask(headers) == [["host", "shop.lu"], ["authorization", MASK], ["cookie", MASK]]

    def test_objects_become_masked_texts(self) -> None:
        class Broken:
            def __str__(self) -> str:
                raise RuntimeError

        assert mask(ValueError("Bearer abc")) == "Bearer ***"
        assert mask(UUID(int=1)) == str(UUID(int=1))
        assert mask(Path("/a")) == "/a"
        assert "abc" not in mask(SecretStr("abc"))
        assert mask(Broken()) == "<Broken>"

    def test_a_structure_that_contains_itself_ends(self) -> None:
        loop: dict[str, Any] = {"password": "x"}
        loop["again"] = loop
        assert "'x'" not in str(mask(loop))

    def test_the_original_is_not_changed(self) -> None:
        original = {"a": {"password": "x"}}
        mask(original)
        assert original == {"a": {"password": "x"}}

    @given(st.from_regex(re.compile(r"[A-Za-z0-9_\-]{12,40}"), fullmatch=True))
    def test_no_secret_survives_in_any_place(self, secret: str) -> None:
        shown = json.dumps(
            mask(
                {
                    "token": secret,
                    "deep": [{"api_key": {"inner": secret}}],
                    "text": f"Authorization: Bearer {secret}",
                    "url": f"amqp://u:{secret}@mq//",
                    "stripe": f"wm_live_{secret}",
                    "hook": f"whsec_{secret}",
                    "repr": repr({"password": secret}),
                    "query": f"/x?access_token={secret}&y",
                }
            )
        )
        assert secret not in shown

    @pytest.mark.parametrize(
        "piece", ["a", "a:", "://", "eyJ-", "token", "Bearer ", "password=\\", "x://a:b", '"']
    )
    def test_long_texts_take_linear_time(self, piece: str) -> None:
        started = time.process_time()
        mask(piece * (200_000 // len(piece)))
        assert time.process_time() - started < 5


class TestOutput:
    def test_json_has_process_level_time_and_bound_ids(self, start: Start) -> None:
        stream = start()
        bind(request_id="r1", vendor_id=UUID(int=7), job_id=None)
        log().info("order imported", count=3)
        clear()
        log().info("later")
        first, second = lines(stream)
        assert first["event"] == "order imported"
        assert first["process"] == "worker"
        assert first["level"] == "info"
        assert first["logger"] == "kernel.test"
        assert first["timestamp"].endswith("Z")
        assert (first["count"], first["request_id"], first["vendor_id"]) == (3, "r1", str(UUID(int=7)))
        assert "job_id" not in first
        assert "request_id" not in second

    @pytest.mark.parametrize("log_format", ["json", "text"])
    def test_no_secret_is_printed(self, start: Start, log_format: str) -> None:
        stream = start(log_format)
        bind(request_id="Bearer hunter2")
        log().warning("login wm_live_hunter2", password="hunter2", body={"card": {"number": "hunter2"}})
        log().info("got %s", "token=hunter2")
        logging.getLogger("uvicorn.error").info('%s - "GET %s"', "::1", "/reset?token=hunter2")
        try:
            raise ValueError("postgresql://u:hunter2@db/x")
        except ValueError:
            log().exception("structlog failed")
            logging.getLogger("celery").exception("celery failed")
        printed = stream.getvalue()
        assert "hunter2" not in printed
        assert printed.count("Traceback") == 2
        assert "celery failed" in printed
        assert "/reset?token=***" in printed

    def test_a_traceback_shows_no_local_variables(self, start: Start) -> None:
        stream = start("text")
        try:
            plain_name = "hun" + "ter2"
            raise ValueError(len(plain_name))
        except ValueError:
            log().exception("failed")
        assert "hunter2" not in stream.getvalue()

    @pytest.mark.parametrize("name", ["uvicorn", "uvicorn.error", "celery", "celery.task", "some.library"])
    def test_library_loggers_come_once_and_alike(self, start: Start, name: str) -> None:
        own = io.StringIO()
        if name != "some.library":
            logging.getLogger(name).addHandler(logging.StreamHandler(own))
            logging.getLogger(name).propagate = False
        stream = start()
        bind(job_id="j1")
        logging.getLogger(name).info("hello %s", "world")
        (line,) = lines(stream)
        assert (line["event"], line["logger"], line["job_id"]) == ("hello world", name, "j1")
        assert own.getvalue() == ""

    def test_sql_is_not_logged_at_info(self, start: Start) -> None:
        stream = start()
        logging.getLogger("sqlalchemy.engine").info("SELECT 1")
        logging.getLogger("sqlalchemy.engine").warning("slow")
        assert [line["event"] for line in lines(stream)] == ["slow"]

    def test_level_and_second_configuration(self, start: Start) -> None:
        start(level="debug")
        stream = start(level="warning")
        log().info("quiet")
        log().error("loud")
        assert [line["event"] for line in lines(stream)] == ["loud"]

    def test_unknown_level_is_refused(self, start: Start) -> None:
        with pytest.raises(ConfigurationError, match="WIZAMART_LOG_LEVEL"):
            start(level="LOUD")

    def test_strange_values_are_still_json(self, start: Start) -> None:
        stream = start()
        log().info("x\ny", lone="\ud800", big=2**80, keys={1: b"\xff", (2,): {3}})
        (line,) = lines(stream)
        assert line["event"] == "x\ny"
        assert line["big"] == 2**80

    def test_colours_only_on_a_terminal_without_no_color(
        self, start: Start, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def printed(stream: io.StringIO) -> str:
            start("text", stream=stream)
            log().info("hello")
            return stream.getvalue()

        monkeypatch.delenv("NO_COLOR", raising=False)
        assert "\x1b[" in printed(Terminal())
        assert "\x1b[" not in printed(io.StringIO())
        monkeypatch.setenv("NO_COLOR", "1")
        assert "\x1b[" not in printed(Terminal())
