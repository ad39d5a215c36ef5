"""What a change of the API's description would break: programs written for the old one must go on working."""

from collections.abc import Iterator
from typing import Any


def breaking_changes(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What would break a program written for ``old``: one sentence each.

    Operations and answers' fields that are gone or of another kind, new demands on what is sent.
    """
    return list(_of_operations(old, new))


def _of_operations(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method, was in methods.items():
            now = new["paths"].get(path, {}).get(method)
            name = f"{method.upper()} {path}"
            if now is None:
                yield f"{name} is gone."
                continue
            if was["operationId"] != now["operationId"]:
                yield f"{name} is called {now['operationId']} instead of {was['operationId']}."
            yield from _of_parameters(name, was, now, old, new)
            yield from _of_body(name, was, now, old, new)
            yield from _of_answers(name, was, now, old, new)


def _of_parameters(
    name: str, was: dict[str, Any], now: dict[str, Any], old: dict[str, Any], new: dict[str, Any]
) -> Iterator[str]:
    before = {(one["in"], one["name"]): one for one in was.get("parameters", [])}
    after = {(one["in"], one["name"]): one for one in now.get("parameters", [])}
    for place, parameter in before.items():
        if place not in after:
            yield f"{name} takes {place[1]} no more."
        else:
            yield from _narrower(f"{name}, {place[1]}", parameter["schema"], after[place]["schema"], old, new)
    for place, parameter in after.items():
        if parameter.get("required") and not before.get(place, {}).get("required"):
            yield f"{name} demands {place[1]}."


def _of_body(
    name: str, was: dict[str, Any], now: dict[str, Any], old: dict[str, Any], new: dict[str, Any]
) -> Iterator[str]:
    before, after = _json(was.get("requestBody")), _json(now.get("requestBody"))
    if after and not before and now["requestBody"].get("required"):
        yield f"{name} demands a body."
    if before and after:
        yield from _narrower(f"{name}, body", before, after, old, new)


def _of_answers(
    name: str, was: dict[str, Any], now: dict[str, Any], old: dict[str, Any], new: dict[str, Any]
) -> Iterator[str]:
    for status, answer in was["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in now["responses"]:
            yield f"{name} answers {status} no more."
            continue
        before, after = _json(answer), _json(now["responses"][status])
        if before and after:
            # What an answer may be is for the caller what a body may be is for us: the other way round.
            yield from _narrower(f"{name}, answer {status}", after, before, new, old, is_answer=True)


def _json(described: dict[str, Any] | None) -> dict[str, Any] | None:
    content = (described or {}).get("content", {}).get("application/json")
    return content["schema"] if content else None


def _narrower(
    where: str,
    before: dict[str, Any],
    after: dict[str, Any],
    old: dict[str, Any],
    new: dict[str, Any],
    *,
    is_answer: bool = False,
) -> Iterator[str]:
    """Where ``after`` refuses what ``before`` takes."""
    before, after = _resolved(before, old), _resolved(after, new)
    said = "may now also be" if is_answer else "can no longer be"
    for kind in sorted(_kinds(before, old) - _kinds(after, new)):
        yield f"{where} {said} {kind}."
    for name, schema in before.get("properties", {}).items():
        below = after.get("properties", {}).get(name)
        if below is not None:
            yield from _narrower(f"{where}.{name}", schema, below, old, new, is_answer=is_answer)
        elif not is_answer:
            yield f"{where} takes {name} no more."
    for name in sorted(set(after.get("required", [])) - set(before.get("required", []))):
        if not is_answer or name not in before.get("properties", {}):
            yield f"{where} {'lost' if is_answer else 'demands'} {name}."
    if "items" in before and "items" in after:
        yield from _narrower(f"{where}[]", before["items"], after["items"], old, new, is_answer=is_answer)


def _resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _kinds(schema: dict[str, Any], document: dict[str, Any]) -> set[str]:
    """The kinds of value, and the words of a closed list."""
    schema = _resolved(schema, document)
    if "anyOf" in schema:
        return {kind for one in schema["anyOf"] for kind in _kinds(one, document)}
    if "enum" in schema:
        return {f'"{value}"' for value in schema["enum"]}
    if "const" in schema:
        return {f'"{schema["const"]}"'}
    kinds = schema.get("type", [])
    return set(kinds) if isinstance(kinds, list) else {str(kinds)}
