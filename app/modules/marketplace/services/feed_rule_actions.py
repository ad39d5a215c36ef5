"""What rules do to cells: set, replace, map and round prices."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from app.modules.marketplace.services.feed_values import MAX_PRICE_CENTS, BadValueError, read_price

Places = Mapping[str, int]
Act = Callable[[list[str]], None]

KINDS = ("set", "replace", "map", "round_price", "exclude")
PRICE_COLUMNS = ("price", "sale_price")
DIRECTIONS = ("up", "down", "nearest")
# The cents that a price ends with: the step between such prices, and the first of them.
ENDINGS: Mapping[str, tuple[int, int]] = {
    "01": (1, 1),
    "05": (5, 5),
    "00": (100, 100),
    "90": (100, 90),
    "95": (100, 95),
    "99": (100, 99),
}
"""``01`` is any cent, ``05`` any five cents, the others are endings."""
_WHOLE = 10_000  # a hundred per cent, in hundredths of a per cent
_PLACE = re.compile(r"\{([a-z0-9_]+)\}")
_BLANKS = re.compile(r" {2,}")
_SIGNED = re.compile(r"([+\-−]?)\s*([0-9]{1,7})(?:[.,]([0-9]{1,2}))?")


def action_writes(action: Mapping[str, Any]) -> str | None:
    """The column that an action changes; None for ``exclude``."""
    column: str | None = action.get("column")
    return None if action["kind"] == "exclude" else column


def action_reads(action: Mapping[str, Any]) -> frozenset[str]:
    """The columns that an action looks at."""
    kind = action["kind"]
    if kind == "exclude":
        return frozenset()
    if kind == "set":
        return frozenset(places_in(action["value"]))
    return frozenset({action.get("source") or action["column"]})


def places_in(text: str) -> list[str]:
    """The columns that a text has places for: ``{brand}``."""
    return _PLACE.findall(text)


def compile_action(action: Mapping[str, Any], places: Places) -> Act:
    """A function that changes the cells of a row in place. The column that is written must be among ``places``.

    ``set``: ``value``, a text in which ``{column}`` stands for a cell. ``replace``: ``find`` by ``with``, everywhere,
    with ``ignore_case``. ``map``: ``table`` from text to text, case aside, of ``source`` or the column itself;
    ``otherwise`` is for all that is not in it, null: the column keeps its text. ``round_price``: see `adjusted`.
    """
    place = places[action["column"]]
    if action["kind"] == "set":
        return _set(place, action["value"], places)
    if action["kind"] == "map":
        return _map(place, action, places)
    change = _replacer(action) if action["kind"] == "replace" else _rounder(action)

    def act(cells: list[str]) -> None:
        cells[place] = change(cells[place])

    return act


def _set(place: int, value: str, places: Places) -> Act:
    parts = _PLACE.split(value)  # text, column, text, column, … text
    if len(parts) == 1:

        def put(cells: list[str]) -> None:
            cells[place] = value

        return put

    slots = [places.get(name) for name in parts[1::2]]
    first, rest = parts[0], list(zip(slots, parts[2::2], strict=True))

    def fill(cells: list[str]) -> None:
        text = first + "".join(
            [("" if slot is None else cells[slot].strip()) + after for slot, after in rest]
        )
        # An empty cell leaves no hole.
        cells[place] = _BLANKS.sub(" ", text).strip()

    return fill


def _map(place: int, action: Mapping[str, Any], places: Places) -> Act:
    table = {key.strip().casefold(): value for key, value in action["table"].items()}
    source = places.get(action.get("source") or action["column"])
    otherwise: str | None = action.get("otherwise")

    def translate(cells: list[str]) -> None:
        key = "" if source is None else cells[source].strip().casefold()
        value = table.get(key, otherwise)
        if value is not None:
            cells[place] = value

    return translate


def _replacer(action: Mapping[str, Any]) -> Callable[[str], str]:
    find, put = action["find"], action.get("with", "")
    if not action.get("ignore_case"):
        return lambda cell: cell.replace(find, put)
    pattern = re.compile(re.escape(find), re.IGNORECASE)
    return lambda cell: pattern.sub(lambda _found: put, cell)


def _rounder(action: Mapping[str, Any]) -> Callable[[str], str]:
    """A cell that is no price stays as it is: the import says what is wrong with it."""
    percent, fixed = (signed_hundredths(action.get(name) or "0") or 0 for name in ("percent", "fixed"))
    ending, direction = action["ending"], action["direction"]

    def change(cell: str) -> str:
        text = cell.strip()
        if not text:
            return cell
        try:
            before, currency = read_price(text, "")
        except BadValueError:
            return cell
        after = rounded(adjusted(before, percent, fixed), ending, direction)
        if after == before:
            return cell
        return f"{after // 100}.{after % 100:02d} {currency}".rstrip()

    return lru_cache(maxsize=4096)(change)


def adjusted(cents: int, percent: int, fixed: int) -> int:
    """A price (cents) with ``percent`` (hundredths of a per cent, half up) and then ``fixed`` (cents) added.

    What costs something never becomes free by it: at least one cent is left, and nothing stays nothing.
    """
    if cents == 0:
        return 0
    changed = (2 * cents * (_WHOLE + percent) + _WHOLE) // (2 * _WHOLE) + fixed
    return min(max(changed, 1), MAX_PRICE_CENTS)


def rounded(cents: int, ending: str, direction: str) -> int:
    """A price (cents, not negative) brought to an ending (ENDINGS); of two that are as near, the higher one.

    Nothing stays nothing, and there is no price below the first one with that ending.
    """
    if cents == 0:
        return 0
    step, first = ENDINGS[ending]
    below = first + (cents - first) // step * step
    above = below if below == cents else below + step
    if direction == "up" or below < first:
        return above
    if direction == "down":
        return below
    return above if above - cents <= cents - below else below


@lru_cache(maxsize=4096)
def number_of(text: str) -> int | None:
    """Hundredths of a price or plain number as feeds write them ("15,00 EUR"); None for what is none."""
    try:
        return read_price(text.strip(), "")[0]
    except BadValueError:
        return None


def signed_hundredths(text: str) -> int | None:
    """Hundredths of "12.5", "-3" or "+0,99"; None for anything else."""
    match = _SIGNED.fullmatch(text.strip())
    if not match:
        return None
    sign, whole, cents = match.groups("")
    amount = int(whole) * 100 + int((cents or "0").ljust(2, "0"))
    return -amount if sign in ("-", "−") else amount
