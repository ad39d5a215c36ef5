"""Nested form parameters, as Stripe writes them (``items[0][price]=…``), read by a specification."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from sandbox.stripe.errors import StripeError, invalid

Params = dict[str, Any]
# str, int, bool, dict (free keys), {name: spec}, [spec], or a tuple of words (one of them).
Spec = Any

_PART = re.compile(r"\[([^\]]*)\]")
_MAX_PARAMETERS = 2000
TIME_RANGE: Spec = {"gt": int, "gte": int, "lt": int, "lte": int}


def read_form(text: str) -> Params:
    """The tree of a query string or form body; lists are trees with the keys 0, 1, 2…"""
    tree: Params = {}
    pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_PARAMETERS)
    for key, value in pairs:
        head, _, _ = key.partition("[")
        path = [head, *_PART.findall(key[len(head) :])]
        node = tree
        for part in path[:-1]:
            child = node.setdefault(part or str(len(node)), {})
            if not isinstance(child, dict):
                raise invalid(f"Invalid parameter: {key}", key)
            node = child
        node[path[-1] or str(len(node))] = value
    return tree


def read_params(spec: Mapping[str, Spec], tree: Params, path: str = "") -> Params:
    """Typed parameters; unknown ones are refused, as Stripe does."""
    params: Params = {}
    for name, value in tree.items():
        full = f"{path}[{name}]" if path else name
        if name not in spec:
            raise StripeError(
                400, f"Received unknown parameter: {full}", param=full, code="parameter_unknown"
            )
        params[name] = _read(spec[name], value, full)
    return params


def _read(spec: Spec, value: Any, path: str) -> Any:
    if value == "":
        return ""
    if isinstance(spec, dict):
        return read_params(spec, _tree(value, path), path)
    if isinstance(spec, list):
        items = _tree(value, path)
        return [_read(spec[0], items[key], f"{path}[{key}]") for key in sorted(items, key=_as_number)]
    if spec is dict:
        return {str(k): v for k, v in _tree(value, path).items()}
    if isinstance(value, dict):
        raise invalid(f"Invalid string: {value}", path)
    if isinstance(spec, tuple):
        if value not in spec:
            raise invalid(f"Invalid {path}: must be one of {', '.join(spec[:-1])} or {spec[-1]}", path)
        return value
    return _scalar(spec, value, path)


def _scalar(spec: Spec, value: str, path: str) -> Any:
    if spec is bool:
        if value not in ("true", "false"):
            raise invalid(f"Invalid boolean: {value}", path, "parameter_invalid_boolean")
        return value == "true"
    if spec is int:
        try:
            return int(value)
        except ValueError:
            raise invalid(f"Invalid integer: {value}", path, "parameter_invalid_integer") from None
    return value


def _tree(value: Any, path: str) -> Params:
    if not isinstance(value, dict):
        raise invalid(f"Invalid object: {path}", path)
    return value


def _as_number(key: str) -> int:
    return int(key) if key.isdigit() else 0
