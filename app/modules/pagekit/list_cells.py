"""The cells of a list's rows as markup.

In Python and chosen once per column: a page has hundreds of cells, and a template's macro for each took most of the
page's time.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from markupsafe import Markup, escape

from app.core.i18n import format_date, format_money, format_number
from app.core.templating import MISSING, instant_text
from app.modules.pagekit.lists import Column
from app.modules.pages import PageContext, environment

Writer = Callable[[Any, Any], Any]  # a value and its row, to text or markup
_NOTHING = Markup('<span class="muted">{}</span>').format(MISSING)


def css_class(column: Column) -> str:
    """The class of a column's head and cells."""
    if column.kind in ("number", "money"):
        return "num"
    if column.is_wide:
        return "wide"
    return "clip" if column.kind in ("text", "tags") else "nowrap"


def cell_writer(ctx: PageContext, column: Column) -> Callable[[Any], Markup]:
    """What shows a row's value in a column; a dash where there is none."""
    write = _coded(ctx, column) if column.tones or column.text_prefix else _plain(ctx, column)

    def cell(row: Any) -> Markup:
        value = column.of(row)
        return _NOTHING if value is None or value == "" else escape(write(value, row))

    return cell


def _coded(ctx: PageContext, column: Column) -> Writer:
    """Codes with texts or colours are few: each is made once per page."""
    badge = environment().get_template("ui/basics.html").module.badge if column.tones else None  # type: ignore[attr-defined]
    made: dict[Any, Any] = {}

    def write(value: Any, _row: Any) -> Any:
        found = made.get(value)
        if found is None:
            found = ctx.t(f"{column.text_prefix}.{value}") if column.text_prefix else value
            if badge and column.tones:
                found = badge(column.tones.get(value, "neutral"), found)
            made[value] = found
        return found

    return write


def _plain(ctx: PageContext, column: Column) -> Writer:
    language, zone = ctx.language, ctx.time_zone
    yes, no = ctx.t("ui.yes"), ctx.t("ui.no")

    def moment(value: datetime) -> Markup:
        text = escape(instant_text(language, zone, value))
        return Markup(f'<time datetime="{value.isoformat()}">{text}</time>')  # noqa: S704 - escaped above

    def day(value: date) -> str:
        return format_date(language, value, timezone=zone)

    writers: dict[str, Writer] = {
        "flag": lambda value, _: yes if value else no,
        "money": lambda value, row: format_money(language, value, getattr(row, "currency", "EUR")),
        "number": lambda value, _: format_number(language, value),
        "date": lambda value, _: day(value),
        "datetime": lambda value, _: moment(value),
        "tags": lambda value, _: ", ".join(str(item) for item in value),
        "code": lambda value, _: Markup(f"<code>{escape(value)}</code>"),  # noqa: S704
    }
    return writers.get(column.kind, lambda value, _: value)
