"""What answers of Letzshop mean, in every form that servers of its kind give them."""

import logging
from typing import Any

import orjson
import pytest

from app.modules.marketplace.adapters.letzshop.answers import check_result, data_of
from app.modules.marketplace.exceptions import (
    ChannelError,
    ChannelRefusedError,
    ChannelUnavailableError,
    KeyRefusedError,
    RoleMissingError,
    SchemaDriftError,
)

_HTML = b"<!doctype html><h1>Maintenance</h1>"
_AT = [{"line": 2, "column": 3}]
_UNKNOWN_FIELD = "Field 'sku' doesn't exist on type 'Variant'"


def error(message: str, **more: Any) -> dict[str, Any]:
    code = more.pop("code", None)
    return {"message": message, **({"extensions": {"code": code}} if code else {}), **more}


def broken(*errors: dict[str, Any], **more: Any) -> bytes:
    return orjson.dumps({"errors": list(errors), **more})


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (500, _HTML, ChannelUnavailableError),
        (502, broken(error("api key")), ChannelUnavailableError),
        (429, b"", ChannelUnavailableError),
        (404, _HTML, ChannelUnavailableError),
        (302, b"", ChannelUnavailableError),
        (200, _HTML, ChannelUnavailableError),
        (200, b'{"data": {"shipments": {"nodes": [', ChannelUnavailableError),
        (200, b"[]", ChannelUnavailableError),
        (200, b'{"data": null}', ChannelUnavailableError),
        # half a page, with and without a place
        (
            200,
            broken(error("boom", path=["shipments", "nodes", 3], locations=_AT), data={}),
            ChannelUnavailableError,
        ),
        (200, broken(error("boom"), data={"shipments": {"nodes": []}}), ChannelUnavailableError),
        (200, broken(error("boom", path=["shipments"], locations=_AT), data=None), ChannelUnavailableError),
        (200, broken(error("Something went wrong."), data=None), ChannelUnavailableError),
        (200, broken(error("Too many", code="THROTTLED"), data=None), ChannelUnavailableError),
        # the question is not understood
        (200, broken(error("Cannot query field 'sku'.", locations=_AT)), SchemaDriftError),
        (200, broken(error("Unknown type", locations=_AT), data=None), SchemaDriftError),
        (
            200,
            broken(
                error(_UNKNOWN_FIELD, path=["query shipments", "sku"], locations=_AT, code="undefinedField")
            ),
            SchemaDriftError,
        ),
        (400, broken(error("Unknown argument", locations=_AT)), SchemaDriftError),
        # the key
        (401, b"", KeyRefusedError),
        (401, orjson.dumps({"error": "You need to sign in"}), KeyRefusedError),
        (401, orjson.dumps({"error": "You are not authorized", "code": "forbidden"}), RoleMissingError),
        (403, _HTML, RoleMissingError),
        (200, broken(error("Nope", code="UNAUTHENTICATED"), data=None), KeyRefusedError),
        (200, broken(error("The API key is not valid."), data=None), KeyRefusedError),
        (200, broken(error("Nope", code="forbidden", path=["shipments"]), data=None), RoleMissingError),
        (200, broken(error("You do not have the role for this"), data={"shipments": None}), RoleMissingError),
    ],
)
def test_each_answer_is_one_of_our_errors(status: int, body: bytes, expected: type[ChannelError]) -> None:
    with pytest.raises(ChannelError) as raised:
        data_of("shipments", status, body, 7.0)
    assert type(raised.value) is expected
    if status in (429, 500):
        assert isinstance(raised.value, ChannelUnavailableError)
        assert raised.value.retry_after == 7.0


def test_neither_addresses_nor_the_key_are_logged_or_told(caplog: pytest.LogCaptureFixture) -> None:
    node = {"email": "anna@buyer.example", "key": "lz_secret"}
    body = broken(
        error("anna@buyer.example failed with lz_secret", path=["shipments"]), data={"nodes": [node]}
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(ChannelUnavailableError) as raised:
        data_of("shipments", 200, body, 0.0)
    told = f"{caplog.text} {raised.value.detail}"
    assert "shipments" in told
    assert "anna" not in told
    assert "lz_secret" not in told


def test_an_act_is_done_only_if_it_is_said() -> None:
    check_result({"result": {"errors": []}})
    wrong = {"id": "u1", "code": "invalid_state", "message": "The unit is returned already."}
    with pytest.raises(ChannelRefusedError) as refused:
        check_result({"result": {"errors": [wrong, {**wrong, "id": "u2"}]}})
    assert (refused.value.reason, refused.value.detail) == ("invalid_state", "The unit is returned already.")
    with pytest.raises(ChannelUnavailableError):
        check_result({"result": None})
