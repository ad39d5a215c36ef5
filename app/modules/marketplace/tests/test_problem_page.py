"""The page about problems of imports has every code, with the texts that people see."""

import re
from pathlib import Path

from babel.messages.pofile import read_po

from app.core.errors import TooLargeError
from app.modules.marketplace import exceptions
from app.modules.marketplace.adapters import feed_errors
from app.modules.marketplace.adapters.feed_errors import FeedError
from app.modules.marketplace.enums import RowErrorCode
from app.modules.marketplace.exceptions import FeedGuardError, RowsFailedError
from app.modules.marketplace.tests.test_addresses import REASONS

APP = Path(__file__).parents[3]
PAGE = APP.parent / "docs" / "guide" / "import-problems.md"
_PLACE = re.compile(r'"?%\((\w+)\)s"?')
_HEAD = ["| code | what it means | what to do |", "|---|---|---|"]


def english() -> dict[str, str]:
    """The English texts of the module and of the kernel."""
    texts: dict[str, str] = {}
    for folder in (APP / "core", APP / "modules" / "marketplace"):
        with (folder / "locales" / "en.po").open("rb") as file:
            texts |= {str(entry.id): str(entry.string) for entry in read_po(file)}
    return texts


def line_of(code: str, text: str) -> str:
    """A line of a table: the first sentence of a text says what is wrong, the rest what to do."""
    shown = _PLACE.sub(r"*\1*", text).replace("|", "\\|").replace("<", "\\<")
    meaning, _, action = shown.partition(". ")
    assert action, f"the text of {code} does not say what to do"
    return f"| `{code}` | {meaning}. | {action} |"


def table(codes: dict[str, str]) -> str:
    texts = english()
    return "\n".join([*_HEAD, *(line_of(code, texts[key]) for code, key in codes.items())])


def tables() -> list[str]:
    """Of files, of addresses, of rows."""
    known = [kind for kind in (vars(exceptions) | vars(feed_errors)).values() if isinstance(kind, type)]
    files = [kind.code for kind in known if issubclass(kind, FeedError) and kind is not FeedError]
    files += [FeedGuardError.code, RowsFailedError.code, TooLargeError.code]
    return [
        table({code: f"errors.{code}" for code in files}),
        table({reason: f"marketplace.address_problems.{reason}" for reason in REASONS}),
        table({code.value: f"marketplace.row_errors.{code}" for code in RowErrorCode}),
    ]


def test_the_page_has_every_code_with_its_text() -> None:
    page = PAGE.read_text("utf-8")
    for expected in tables():
        assert expected in page, f"{PAGE.name} should have:\n{expected}"
