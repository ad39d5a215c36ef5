"""The description of the API: OpenAPI 3.1, made from the operations; the text that is committed, and what broke."""

import re
from typing import Any
from uuid import UUID

import orjson
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app import VERSION
from app.core.ids import to_public
from app.modules.api import ROOT, Operation, id_pattern
from app.modules.api.problems import PROBLEM_TYPE, FieldProblem, Problem
from app.modules.api.serving import api_router, operations
from app.modules.registry import modules

_REF = "#/components/schemas/{model}"
_HEADERS = {
    "RateLimit-Policy": ("Requests (q) in a window of w seconds. Experimental, as the draft is.", "string"),
    "RateLimit": ("Requests left (r) until the window ends in t seconds. Experimental.", "string"),
    "Link": ('Addresses of the pages beside this one: rel="next", rel="prev".', "string"),
    "ETag": ("The version, for If-Match; of what was read also its content, for If-None-Match.", "string"),
    "Location": ("Where the thing, or the job, is.", "string"),
    "Idempotency-Replayed": ("`true` when this is a stored answer.", "string"),
    "Retry-After": ("Seconds.", "integer"),
}
_MEANS = {
    400: "A parameter that there is not, or that cannot be read; or a missing Idempotency-Key.",
    401: "No key, or one that is refused.",
    403: "The key lacks the permission, or the operation is not for its holder.",
    404: "The thing does not exist, not for this key, or its module is off.",
    409: "The state of the thing does not allow this, or the same request is being answered.",
    412: "The thing was changed since the version in If-Match.",
    413: "The body is too large.",
    422: "The body cannot be accepted; `errors` says why.",
    428: "If-Match is missing.",
    429: "Too many requests; Retry-After says when to come back.",
    503: "The database does not answer, or not in time.",
}
_DESCRIPTION = (
    "Products, imports and people of a vendor, and the operator's view of the platform. "
    "Conventions (errors, pages, versions, idempotency, limits) are in docs/api/README.md."
)


def build_schema() -> dict[str, Any]:
    """The description of all operations of the installed modules."""
    found: dict[str, Any] = get_openapi(
        title="Wizamart",
        version="1",
        openapi_version="3.1.0",
        description=_DESCRIPTION,
        routes=api_router().routes,
        servers=[{"url": ROOT}],
        tags=[
            {"name": code, "description": module.description}
            for code, module in modules().items()
            if any(name.partition("_")[0] == "api" for name in module.routes)
        ],
    )
    found["info"]["x-release"] = VERSION
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas |= _schemas_of(Problem, FieldProblem)
    _give_examples(schemas, BaseModel)
    found["components"]["responses"] = {f"Problem{status}": _problem(status) for status in _MEANS}
    found["components"]["headers"] = {
        name: {"description": text, "schema": {"type": kind}} for name, (text, kind) in _HEADERS.items()
    }
    found["components"]["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, `wm_live_…` or `wm_test_…`."}
    }
    found["security"] = [{"key": []}]
    for name, (_, operation) in operations().items():
        described = found["paths"][operation.address][operation.method.lower()]
        assert described["operationId"] == name
        _finish(described, operation, schemas)
        _link(described["responses"][str(operation.status)], operation)
        _constrain_ids(described)
    return found


def schema_text() -> bytes:
    """The description as it is committed."""
    return orjson.dumps(build_schema(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _give_examples(schemas: dict[str, Any], model: type[BaseModel]) -> None:
    """Put back the examples as the models have them: FastAPI leaves what is null out of its whole answer."""
    for below in model.__subclasses__():
        extra = below.model_config.get("json_schema_extra")
        if isinstance(extra, dict) and "examples" in extra and below.__name__ in schemas:
            schemas[below.__name__]["examples"] = extra["examples"]
        _give_examples(schemas, below)


def _schemas_of(*models: type[BaseModel]) -> dict[str, Any]:
    _, definitions = models_json_schema([(model, "serialization") for model in models], ref_template=_REF)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _finish(described: dict[str, Any], operation: Operation, schemas: dict[str, Any]) -> None:
    success = described["responses"][str(operation.status)]
    described["x-permission"] = operation.permission
    success["headers"] = _headers(operation)
    for content in success.get("content", {}).values():
        content["example"] = _example(content["schema"], schemas)
    answers = {str(operation.status): success} | (_NOT_MODIFIED if operation.is_read else {})
    described["responses"] = answers | {
        str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in _statuses(operation)
    }
    for parameter in described.get("parameters", []):
        if parameter["in"] == "header":
            parameter["required"] = (parameter["name"] == "idempotency-key" and operation.needs_key) or (
                parameter["name"] == "if-match" and operation.needs_version
            )
            parameter["name"] = "-".join(part.capitalize() for part in parameter["name"].split("-"))
            parameter["schema"] = _HEADER_SCHEMAS[parameter["name"]]
        elif parameter["name"] == "fields":
            parameter["description"] += f" There are: {', '.join(sorted(operation.field_names))}."


def _link(success: dict[str, Any], operation: Operation) -> None:
    """Say which operations take the id of what was made or read, and its ETag."""
    has_id = "id" in getattr(operation.gives, "model_fields", ())
    is_one = operation.path.endswith("}") if operation.is_read else operation.status in (201, 202)
    if not (has_id and is_one):
        return
    root = operation.address.rpartition("/")[0] if operation.is_read else operation.address
    links: dict[str, Any] = {}
    for name, (_, other) in operations().items():
        found = re.fullmatch(re.escape(root) + r"/\{(\w+)\}(?:/\w+)?", other.address)
        if found and other is not operation:
            links[name] = {"operationId": name, "parameters": {found[1]: "$response.body#/id"}}
            if other.needs_version and operation.has_version:
                links[name]["parameters"]["If-Match"] = "$response.header.ETag"
    if links:
        success["links"] = links


def _constrain_ids(described: dict[str, Any]) -> None:
    """Say which form the ids in the address have."""
    prefixes = {name: prefix for one in modules().values() for name, (prefix, _) in one.public_ids.items()}
    for parameter in described.get("parameters", []):
        if parameter["in"] == "path" and parameter["name"] in prefixes:
            prefix = prefixes[parameter["name"]]
            parameter["schema"] = {
                "type": "string",
                "pattern": id_pattern(prefix),
                "examples": [to_public(prefix, UUID("01992f0a-8f69-76f6-a90d-c07f3683d8ab"))],
            }


_HEADER_SCHEMAS = {
    "Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 255, "format": "idempotency-key"},
    "If-Match": {
        "type": "string",
        "pattern": '^(\\*|"[0-9]{1,17}(-[0-9a-f]{16})?")$',
        "examples": ['"3"', '"3-5f0d9c31a7b2e468"'],
    },
    "If-None-Match": {"type": "string"},
}


def _statuses(operation: Operation) -> list[int]:
    found = {400, 401, 403, 404, 429, 503}
    if operation.method != "GET":
        found |= {409, 413, 422}
    if operation.needs_version:
        found |= {412, 428}
    return sorted(found)


def _problem(status: int) -> dict[str, Any]:
    headers = {"Retry-After": _header("Retry-After")} if status == 429 else {}
    return {
        "description": _MEANS[status],
        "headers": headers,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
    }


def _headers(operation: Operation) -> dict[str, Any]:
    names = ["RateLimit-Policy", "RateLimit"]
    names += ["Link"] if operation.is_list else []
    names += ["ETag"] if operation.has_version or operation.is_read else []
    names += ["Location"] if operation.status in (201, 202) else []
    names += ["Idempotency-Replayed"] if operation.takes_key else []
    return {name: _header(name) for name in names}


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


_NOT_MODIFIED = {"304": {"description": "The caller has this already.", "headers": {"ETag": _header("ETag")}}}


def _example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """An example of an answer, put together from those of the models in it."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if schema.get("examples"):
        return schema["examples"][0]
    properties = schema.get("properties", {})
    if "data" in properties:
        item = _example(properties["data"]["items"], schemas)
        return {
            "data": [item],
            "next_cursor": None,
            "prev_cursor": None,
            "has_more": False,
            "total_count": None,
        }
    raise LookupError(f"{schema.get('title')} has no example; give it one with `example(…)`.")
