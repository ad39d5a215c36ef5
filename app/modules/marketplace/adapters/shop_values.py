"""What the exports of different shops have in common: names of options, availability, short ids, amounts."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from app.modules.marketplace.adapters.columns import MAX_ID

OPTION_COLUMNS = ("color", "size", "material", "pattern")

_OPTIONS = {
    "color": ("color", "colour", "couleur", "coloris", "farbe", "faarf", "farbton"),
    "size": (
        "size",
        "taille",
        "pointure",
        "grosse",
        "groesse",
        "schuhgrosse",
        "konfektionsgrosse",
        "greisst",
    ),
    "material": ("material", "matiere", "materiau", "stoff", "fabric", "tissu", "materialien"),
    "pattern": ("pattern", "motif", "muster", "dessin"),
}
_COLUMN_OF_OPTION = {word: column for column, words in _OPTIONS.items() for word in words}
_AMOUNT = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def plain(name: str) -> str:
    """Lower case, without accents, other signs as single spaces: "Größe (EU)" is "grosse eu"."""
    folded = unicodedata.normalize("NFKD", name.replace("œ", "oe").casefold().replace("ß", "ss"))
    letters = "".join(sign for sign in folded if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^0-9a-z]+", " ", letters).split())


def option_column(name: str) -> str | None:
    """The feed's column for an option or attribute with this name (English, French, German, Luxembourgish)."""
    return _COLUMN_OF_OPTION.get(plain(name))


def option_cells(options: Iterable[tuple[str, str]]) -> list[str]:
    """The cells of `OPTION_COLUMNS`, from names and values of options."""
    found: dict[str, str] = {}
    for name, value in options:
        column = option_column(name)
        if column and value:
            found.setdefault(column, value)
    return [found.get(column, "") for column in OPTION_COLUMNS]


def short_id(text: str) -> str:
    """The text, or if it is too long for an id its beginning and a hash of it: always the same for the same text."""
    if len(text) <= MAX_ID:
        return text
    return f"{text[: MAX_ID - 13]}-{blake2b(text.encode(), digest_size=6).hexdigest()}"


def variant_title(title: str, values: Sequence[str]) -> str:
    """ "Chair - Red / Oak"."""
    return f"{title} - {' / '.join(values)}" if title and values else title


def availability(*, is_tracked: bool, quantity: str, sells_without_stock: bool) -> str:
    """The feed's word. Goods that the shop does not count are in stock; an unreadable count is none."""
    if not is_tracked:
        return "in_stock"
    try:
        left = float(quantity.replace(",", "."))
    except ValueError:
        left = 0
    if left > 0:
        return "in_stock"
    return "backorder" if sells_without_stock else "out_of_stock"


def amount(text: str) -> float | None:
    """A price as a number, to compare with another one; None if it is not written plainly."""
    text = text.strip().replace(",", ".")
    return float(text) if _AMOUNT.fullmatch(text) else None


def weight(text: str, unit: str) -> str:
    """ "250 g"; nothing for no weight."""
    number = amount(text)
    return f"{text.strip().replace(',', '.')} {unit}" if number else ""


def untick(text: str) -> str:
    """Without the apostrophe that keeps spreadsheets from calculating with a number."""
    return text.strip().removeprefix("'")


def is_yes(text: str) -> bool:
    """Whether a cell says yes in any of the words that shops use."""
    return text.strip().lower() in ("true", "1", "yes", "oui", "ja", "continue", "notify")
