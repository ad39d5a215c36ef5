"""What a feed must not do unnoticed: lose many of its rows, or empty a column that was filled."""

from collections.abc import Mapping
from typing import Any

_LEAST_ROWS = 10  # of a feed that small, any change is a large share
_STAYS = 0.6
# Empty means no more than the usual value, or that a sale is over.
_MAY_EMPTY = frozenset(
    (
        "adult",
        "is_bundle",
        "identifier_exists",
        "condition",
        "multipack",
        "sale_price",
        "sale_price_effective_date",
    )
)


def find_losses(
    before: Mapping[str, Any], now: Mapping[str, Any], *, keeps_blanks: bool
) -> list[dict[str, Any]]:
    """What the guard objects to, comparing ``rows`` and ``column_fill`` of two imports of a feed.

    A finding is an object with code (``rows_lost``, ``column_emptied``), column, before and now. Columns that are not
    in the feed any longer change nothing in the catalogue and are no finding; nor are blanks that keep what there is.
    """
    rows_before, rows_now = before["rows"], now["rows"]
    if rows_before < _LEAST_ROWS:
        return []
    findings = []
    if rows_now < rows_before * _STAYS:
        findings.append({"code": "rows_lost", "column": "", "before": rows_before, "now": rows_now})
    fill_before, fill_now = before["column_fill"] or {}, now["column_fill"] or {}
    for column, filled in sorted(fill_before.items()):
        if (
            keeps_blanks
            or column not in fill_now
            or column in _MAY_EMPTY
            or filled < _LEAST_ROWS
            or not rows_now
        ):
            continue
        if fill_now[column] / rows_now < filled / rows_before * _STAYS:
            findings.append(
                {"code": "column_emptied", "column": column, "before": filled, "now": fill_now[column]}
            )
    return findings
