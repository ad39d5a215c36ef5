"""Compares what the sandbox returns with the types of the official library."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import stripe

_ROOT = Path(stripe.__file__).parent
_FILES = {
    "billing_portal.session": "billing_portal/_session.py",
    "checkout.session": "checkout/_session.py",
    "item": "_line_item.py",
    "line_item": "_invoice_line_item.py",
    "invoiceitem": "_invoice_item.py",
    "test_helpers.test_clock": "test_helpers/_test_clock.py",
}
_SCALARS = {"int": int, "str": str, "bool": bool, "float": (int, float), "Decimal": str}


@cache
def _class_of(kind: str) -> ast.ClassDef:
    path = _ROOT / _FILES.get(kind, f"_{kind}.py")
    tree = ast.parse(path.read_text("utf-8"))
    wanted = {"line_item": "InvoiceLineItem", "item": "LineItem", "invoiceitem": "InvoiceItem"}.get(kind)
    name = wanted or "".join(part.title() for part in kind.rsplit(".", maxsplit=1)[-1].split("_"))
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def differences(value: dict[str, Any], path: str = "") -> Iterator[str]:
    """What a returned object has or lacks against its type; also inside of it."""
    yield from _compare(value, _class_of(value["object"]), path or value["object"])


def _compare(value: dict[str, Any], owner: ast.ClassDef, path: str) -> Iterator[str]:
    fields = {
        ast.unparse(node.target): node.annotation for node in owner.body if isinstance(node, ast.AnnAssign)
    }
    for name in value.keys() - fields.keys():
        yield f"{path}.{name}: not in the type"
    for name, annotation in fields.items():
        inner, is_optional = _unwrapped(annotation)
        if name.startswith("_") or ast.unparse(annotation).startswith("ClassVar"):
            continue
        if value.get(name) is None:
            if not is_optional:
                yield f"{path}.{name}: missing"
        else:
            yield from _check(value[name], inner, owner, f"{path}.{name}")


def _unwrapped(annotation: ast.expr) -> tuple[ast.expr, bool]:
    if isinstance(annotation, ast.Constant):
        annotation = ast.parse(str(annotation.value), mode="eval").body
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Optional":
        return _unwrapped(annotation.slice)[0], True
    return annotation, False


def _check(value: Any, annotation: ast.expr, owner: ast.ClassDef, path: str) -> Iterator[str]:
    text = ast.unparse(annotation)
    if isinstance(annotation, ast.Subscript):
        outer = ast.unparse(annotation.value)
        if outer == "List":
            if not isinstance(value, list):
                yield f"{path}: no list"
                return
            for one in value:
                yield from _check(one, annotation.slice, owner, f"{path}[]")
        elif outer == "ListObject":
            for one in value["data"]:
                yield from differences(one, f"{path}[]")
        elif outer == "ExpandableField" and isinstance(value, dict):
            yield from differences(value, path)
        elif outer == "Literal":
            words = [node.value for node in ast.walk(annotation.slice) if isinstance(node, ast.Constant)]
            if value not in words:
                yield f"{path}: {value!r} is none of {words}"
        elif outer == "Union" and "Literal" in text and not isinstance(value, (str, dict)):
            yield f"{path}: no string"
    elif text in _SCALARS:
        if not isinstance(value, _SCALARS[text]) or (text == "int" and isinstance(value, bool)):  # type: ignore[arg-type]
            yield f"{path}: {value!r} is no {text}"
    elif isinstance(value, dict):
        inner = next((n for n in owner.body if isinstance(n, ast.ClassDef) and n.name == text), None)
        if inner is not None:
            yield from _compare(value, inner, path)
        elif "object" in value:
            yield from differences(value, path)
