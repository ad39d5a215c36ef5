"""The description: committed, complete, and guarded against changes that break programs."""

import copy
from typing import Any

import jsonschema_rs
import orjson
import pytest

from app.modules.api.changes import breaking_changes
from app.modules.api.cli import SCHEMA_FILE
from app.modules.api.schema import build_schema, schema_text
from app.modules.api.serving import operations


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return build_schema()


def test_the_committed_description_is_up_to_date() -> None:
    assert SCHEMA_FILE.read_bytes() == schema_text(), "Run: wizamart api schema"


def test_every_operation_says_what_it_does_and_shows_an_example(schema: dict[str, Any]) -> None:
    for name, (module, operation) in operations().items():
        described = schema["paths"][operation.address][operation.method.lower()]
        assert described["operationId"] == name
        assert described["tags"] == [module.code]
        assert described["summary"], name
        assert described["x-permission"] == operation.permission
        content = described["responses"][str(operation.status)].get("content")
        assert (content is None) is (operation.gives is None), name
        if content:
            answer = content["application/json"]
            whole = {**answer["schema"], "components": schema["components"]}
            assert jsonschema_rs.validator_for(whole).is_valid(answer["example"]), name


_BREAKS: dict[str, Any] = {
    "GET /vendor/products is gone.": lambda new: new["paths"]["/vendor/products"].pop("get"),
    "takes brand no more": lambda new: new["paths"]["/vendor/products"]["get"]["parameters"].remove(
        next(one for one in new["paths"]["/vendor/products"]["get"]["parameters"] if one["name"] == "brand")
    ),
    "demands Idempotency-Key": lambda new: new["paths"]["/vendor/roles"]["post"]["parameters"][0].update(
        required=True
    ),
    "lost version": lambda new: (
        new["components"]["schemas"]["RoleDetails"]["properties"].pop("version"),
        new["components"]["schemas"]["RoleDetails"]["required"].remove("version"),
    ),
    "may now also be null": lambda new: new["components"]["schemas"]["RoleDetails"]["properties"].update(
        name={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "demands colour": lambda new: (
        new["components"]["schemas"]["NewRole"]["properties"].update(colour={"type": "string"}),
        new["components"]["schemas"]["NewRole"]["required"].append("colour"),
    ),
    'can no longer be "preorder"': lambda new: new["components"]["schemas"]["Availability"]["enum"].remove(
        "preorder"
    ),
    "answers 202 no more": lambda new: new["paths"]["/vendor/imports"]["post"]["responses"].pop("202"),
}


@pytest.mark.parametrize("said", _BREAKS)
def test_what_breaks_programs_is_said(schema: dict[str, Any], said: str) -> None:
    new = copy.deepcopy(schema)
    _BREAKS[said](new)
    assert any(said in line for line in breaking_changes(schema, new)), breaking_changes(schema, new)


def test_what_is_added_breaks_nothing(schema: dict[str, Any]) -> None:
    new = copy.deepcopy(schema)
    new["components"]["schemas"]["RoleDetails"]["properties"]["colour"] = {"type": "string"}
    new["components"]["schemas"]["NewRole"]["properties"]["colour"] = {"type": "string"}
    new["paths"]["/vendor/colours"] = new["paths"]["/vendor/roles"]
    assert breaking_changes(orjson.loads(orjson.dumps(schema)), new) == []
