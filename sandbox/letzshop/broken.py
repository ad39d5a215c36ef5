"""Answers that an API should not give."""

from typing import Any

from sandbox.faults import Fault
from sandbox.serving import Answer

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_PAGE = "<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"
_STATUS = {
    "rate_limit": (429, "429 Too Many Requests"),
    "server_error": (500, "We're sorry, but something went wrong (500)"),
    "bad_gateway": (502, "502 Bad Gateway"),
    "unavailable": (503, "503 Service Temporarily Unavailable"),
    "html_page": (200, "Maintenance"),
    "timeout": (504, "504 Gateway Time-out"),
}


def faulty(fault: Fault) -> Answer:
    """The answer of an API that did nothing."""
    status, title = _STATUS[fault["name"]]
    headers = dict(_HTML)
    if fault["name"] == "rate_limit":
        headers["Retry-After"] = str(int(fault["seconds"] or 1))
    return Answer(status, _PAGE.format(title), headers)


def spoil(fault: str, value: dict[str, Any]) -> None:
    """Change what was answered: half of the rows and errors, every row twice, rows in another order."""
    rows = _rows(value.get("data"))
    if fault == "repeated" and rows is not None:
        rows[:] = [row for row in rows for _ in range(2)]
    elif fault == "shuffled" and rows is not None:
        rows.reverse()
    elif fault == "partial":
        if rows is not None:
            del rows[len(rows) // 2 :]
        else:
            value["data"] = None
        value.setdefault("errors", []).append({"message": "Something went wrong while loading the rest."})


def _rows(data: Any) -> list[Any] | None:
    """The rows of the first list asked for."""
    for field in (data or {}).values():
        if isinstance(field, dict) and isinstance(field.get("nodes"), list):
            rows: list[Any] = field["nodes"]
            return rows
    return None
