"""What people read about the API: the reference at ``/api/docs``, and a page for each error at ``/errors/<code>``."""

from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from app.core.errors import AppError, NotFoundError
from app.core.i18n import FALLBACK, has_message, translate
from app.core.templating import render
from app.modules.api import ROOT
from app.modules.api.problems import known_problems
from app.modules.api.schema import build_schema, schema_text
from app.modules.pages import base_context, environment, language_of, theme_of
from app.modules.registry import modules


def mount_api_docs(app: FastAPI) -> None:
    """``/api/docs``, ``/api/openapi.json``, ``/errors`` and ``/errors/{code}``, open to everybody."""
    for path, function in (
        ("/api/docs", _reference),
        ("/api/openapi.json", _description),
        ("/errors", _errors),
        ("/errors/{code}", _error),
    ):
        app.add_api_route(
            path, function, methods=["GET", "HEAD"], include_in_schema=False, response_model=None
        )


def _description() -> Response:
    return Response(_schema_text(), media_type="application/json")


@lru_cache(maxsize=1)
def _schema_text() -> bytes:
    return schema_text()


def _reference(request: Request) -> Response:
    language = language_of(request)
    return _page(
        request, "api/reference.html", translate(language, "api.docs.title"), root=ROOT, groups=_groups()
    )


@lru_cache(maxsize=1)
def _groups() -> list[SimpleNamespace]:
    schema = build_schema()
    groups: dict[str, list[SimpleNamespace]] = {}
    for address, methods in schema["paths"].items():
        for method, described in methods.items():
            groups.setdefault(described["tags"][0], []).append(
                SimpleNamespace(
                    id=described["operationId"],
                    method=method.upper(),
                    address=address,
                    summary=described["summary"],
                    description=described.get("description", ""),
                    permission=described["x-permission"],
                    parameters=[_parameter(one) for one in described.get("parameters", [])],
                    body=_shown(_body(described, schema)),
                    answer=_shown(_answer(described)),
                )
            )
    return [SimpleNamespace(name=modules()[code].name, operations=found) for code, found in groups.items()]


def _parameter(described: dict[str, Any]) -> dict[str, Any]:
    text = described.get("description") or described["schema"].get("description") or ""
    return {"name": described["name"], "required": described.get("required", False), "description": text}


def _body(described: dict[str, Any], schema: dict[str, Any]) -> Any:
    content = described.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    model = schema["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
    return (model.get("examples") or [None])[0]


def _answer(described: dict[str, Any]) -> Any:
    status = min(described["responses"])
    return described["responses"][status].get("content", {}).get("application/json", {}).get("example")


def _shown(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() if value is not None else ""


def _errors(request: Request) -> Response:
    language = language_of(request)
    found = [_problem(language, kind) for _, kind in sorted(_problems().items())]
    return _page(request, "api/errors.html", translate(language, "api.errors.title"), problems=found)


def _error(request: Request, code: str) -> Response:
    kind = _problems().get(code)
    if kind is None:
        raise NotFoundError
    found = _problem(language_of(request), kind)
    return _page(request, "api/error.html", found.title, problem=found)


@lru_cache(maxsize=1)
def _problems() -> dict[str, type[AppError]]:
    """Also those of modules that nothing has imported yet."""
    for module in modules().values():
        if find_spec(f"{module.package}.exceptions"):
            import_module(f"{module.package}.exceptions")
    return known_problems()


def _problem(language: str, kind: type[AppError]) -> SimpleNamespace:
    key = f"errors.{kind.code}"
    title = _text(language, f"{key}.title", kind.title)
    return SimpleNamespace(code=kind.code, status=kind.status, title=title, text=_text(language, key, title))


def _text(language: str, key: str, fallback: str) -> str:
    return translate(language, key) if has_message(language, key) or has_message(FALLBACK, key) else fallback


def _page(request: Request, template: str, title: str, **context: Any) -> Response:
    language = language_of(request)
    everything = {
        **base_context(request, language, theme_of(request)),
        "page": {"id": template, "title": title},
        "shell": None,
        "csrf_token": "",
        **context,
    }
    return HTMLResponse(render(environment(), template, everything))
