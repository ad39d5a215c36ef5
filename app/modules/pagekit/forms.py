"""What a form asks, declared once; reading and checking what people typed.

The server is the authority. Whatever is wrong is said beside its field, in the page's language, with everything typed
kept.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from urllib.parse import urlsplit

from starlette.datastructures import FormData, UploadFile

from app.modules.pages import PageContext

FieldKind = Literal[
    "text", "email", "url", "password", "textarea", "number", "money", "date", "select", "radios", "checkbox",
    "checkboxes", "file", "note",
]  # fmt: skip
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_MOST_CHOICES = 500
Options = Sequence[tuple[str, ...]]


class FieldProblem(ValueError):
    """What somebody typed cannot be used; ``key`` says what to do, with ``params``."""

    def __init__(self, key: str, **params: Any) -> None:
        super().__init__(key)
        self.key, self.params = key, params


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a form asks.

    ``label_key`` names it, or ``label`` where it is a name that needs no translation; ``hint_key`` explains it.
    ``options`` of select, radios and checkboxes: value, text and, for radios, a hint; a function gets the context.
    ``clean`` turns the text into the value (or raises FieldProblem); without it: number gives int, money cents, date a
    date, checkbox a bool, checkboxes a list, file an UploadFile or None. A note is text between fields, it asks
    nothing. ``section_key`` begins a part with a heading; ``is_beside``: it stands beside the field
    before it, where there is room.
    """

    name: str
    label_key: str
    kind: FieldKind = "text"
    is_required: bool = True
    hint_key: str | None = None
    max_length: int = 200
    options: Options | Callable[[PageContext], Options] = ()
    clean: Callable[[str], Any] | None = None
    autocomplete: str | None = None
    section_key: str | None = None
    attrs: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    is_beside: bool = False

    def text(self, ctx: PageContext) -> str:
        """Its name in the page's language."""
        return self.label or ctx.t(self.label_key)

    def choices(self, ctx: PageContext) -> list[tuple[str, ...]]:
        """The options, with their texts in the page's language."""
        if callable(self.options):
            return [tuple(option) for option in self.options(ctx)]
        return [(option[0], *(ctx.t(key) for key in option[1:])) for option in self.options]


@dataclass(frozen=True)
class FormSpec:
    """A form page.

    ``load(ctx)``: what the fields show at first, by name; with ``version`` (int), a record that somebody else changed
    meanwhile is noticed and both values are shown. ``save(ctx, values)`` does the act and returns the address to go
    to; it may raise ValidationFailedError, whose errors stand at their fields. ``texts``: ``<texts>.submit`` is the
    button, ``<texts>.saved`` the message afterwards, ``<texts>.intro`` (with ``has_intro``) stands below the title.
    ``template`` extends ``ui/pages/form.html`` where the page shows more, with what ``extra(ctx)`` gives.
    ``in_read_only``: it can be sent also when the vendor's subscription has ended.
    """

    page_id: str
    texts: str
    fields: Sequence[Field] | Callable[[PageContext], Sequence[Field]]
    save: Callable[[PageContext, Mapping[str, Any]], str]
    load: Callable[[PageContext], Mapping[str, Any]] = lambda _ctx: {}
    title: Callable[[PageContext], str] | None = None
    back: Callable[[PageContext], tuple[str, str]] | None = None
    has_intro: bool = False
    is_danger: bool = False
    max_body_bytes: int | None = None
    in_read_only: bool = False
    template: str = "ui/pages/form.html"
    extra: Callable[[PageContext], Mapping[str, Any]] = lambda _ctx: {}

    def fields_for(self, ctx: PageContext) -> Sequence[Field]:
        """The fields that this reader is asked."""
        return self.fields(ctx) if callable(self.fields) else self.fields


def read_form(
    ctx: PageContext, fields: Sequence[Field], form: FormData
) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Values by name, what was typed by name (to show again), and what is wrong by name."""
    values: dict[str, Any] = {}
    typed: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for asked in fields:
        if asked.kind == "note":
            continue
        typed[asked.name] = _typed(asked, form)
        try:
            values[asked.name] = _value(ctx, asked, typed[asked.name])
        except FieldProblem as problem:
            label = asked.text(ctx)
            errors[asked.name] = ctx.t(problem.key, **{"label": label, **problem.params})
    return values, typed, errors


def _typed(asked: Field, form: FormData) -> Any:
    if asked.kind == "checkboxes":
        return [text for text in form.getlist(asked.name)[:_MOST_CHOICES] if isinstance(text, str)]
    given = form.get(asked.name)
    if asked.kind == "file":
        return given if isinstance(given, UploadFile) and given.filename else None
    text = given if isinstance(given, str) else ""
    if asked.kind == "password":
        return text
    text = text.replace("\x00", "").strip()
    return text.replace("\r\n", "\n") if asked.kind == "textarea" else text


def _value(ctx: PageContext, asked: Field, typed: Any) -> Any:
    if asked.kind == "checkbox":
        return bool(typed)
    if asked.kind in ("select", "radios", "checkboxes"):
        return _chosen(ctx, asked, typed)
    if not typed:
        if asked.is_required:
            raise FieldProblem("ui.form.required_file" if asked.kind == "file" else "ui.form.required")
        return None if asked.kind in ("number", "money", "date", "file") else ""
    if asked.kind == "file":
        return typed
    if len(typed) > asked.max_length:
        raise FieldProblem("ui.form.too_long", max=asked.max_length)
    if asked.clean:
        return asked.clean(typed)
    return _READERS.get(asked.kind, str)(typed)


def _chosen(ctx: PageContext, asked: Field, typed: Any) -> Any:
    allowed = {option[0] for option in asked.choices(ctx)}
    if asked.kind == "checkboxes":
        chosen = [value for value in typed if value in allowed]
        if asked.is_required and not chosen:
            raise FieldProblem("ui.form.choose")
        return chosen
    if typed in allowed and (typed or not asked.is_required):
        return typed
    if not typed and not asked.is_required:
        return ""
    raise FieldProblem("ui.form.choose")


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise FieldProblem("ui.form.email")
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise FieldProblem("ui.form.url")
    return text


def _number(text: str) -> int:
    plain = re.sub(r"[\s\u202f.,']", "", text)
    if not re.fullmatch(r"-?\d{1,15}", plain):
        raise FieldProblem("ui.form.number")
    return int(plain)


def _money(text: str) -> int:
    plain = re.sub(r"[\s\u202f€]", "", text).replace(",", ".")
    head, _, tail = plain.rpartition(".") if plain.count(".") > 1 else ("", "", plain)
    try:
        cents = Decimal(head.replace(".", "") + ("." if head else "") + tail) * 100
    except InvalidOperation:
        raise FieldProblem("ui.form.money") from None
    if cents != cents.to_integral_value() or not cents.is_finite() or abs(cents) > 10**13:
        raise FieldProblem("ui.form.money")
    return int(cents)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldProblem("ui.form.date") from None


_READERS: dict[str, Callable[[str], Any]] = {
    "email": _email,
    "url": _url,
    "number": _number,
    "money": _money,
    "date": _date,
}
