"""Which product a line means. What is not certain is never guessed: it becomes an exception."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.modules.catalog.contracts import GtinError, OrderedProduct, is_in_store_gtin, parse_gtin
from app.modules.catalog.facade import find_ordered
from app.modules.orders.enums import ExceptionKind, MatchKind
from app.modules.orders.models.exception import ProductMatch

_MAX_CANDIDATES = 10


class Named(Protocol):
    """What a line says of its product."""

    @property
    def product_id(self) -> UUID | None: ...
    @property
    def sku(self) -> str | None: ...
    @property
    def gtin(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Match:
    """The product of a line, or why there is none: then also what it could be, and by what it was looked for."""

    product: OrderedProduct | None = None
    fault: ExceptionKind | None = None
    key: tuple[MatchKind, str] | None = None
    candidates: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class _Shelf:
    by_id: Mapping[UUID, OrderedProduct]
    by_sku: Mapping[str, OrderedProduct]
    by_gtin: Mapping[str, list[OrderedProduct]]
    remembered: Mapping[tuple[str, str], UUID]


def normal_gtin(text: str | None) -> str | None:
    """A GTIN in its stored form; what is none stays as it was typed."""
    if not text or not text.strip():
        return None
    try:
        return parse_gtin(text)
    except GtinError:
        return text.strip()


def match_lines(session: Session, lines: Sequence[Named], language: str) -> list[Match]:
    """The match of each line. A ``product_id`` that the vendor does not have gives a match with nothing in it."""
    shelf = _read(session, lines, language)
    return [_match(line, shelf) for line in lines]


def _read(session: Session, lines: Sequence[Named], language: str) -> _Shelf:
    ids = {line.product_id for line in lines if line.product_id}
    unknown = [line for line in lines if not line.product_id]
    keys = {key for line in unknown for key in _keys(line)}
    remembered = _remembered(session, keys)
    found = find_ordered(
        session,
        language=language,
        ids=ids | set(remembered.values()),
        skus={value for kind, value in keys if kind == MatchKind.SKU},
        gtins={value for kind, value in keys if kind == MatchKind.GTIN},
    )
    by_gtin: dict[str, list[OrderedProduct]] = defaultdict(list)
    for product in found:
        if product.gtin:
            by_gtin[product.gtin].append(product)
    return _Shelf({one.id: one for one in found}, {one.sku: one for one in found}, by_gtin, remembered)


def _keys(line: Named) -> Iterable[tuple[MatchKind, str]]:
    """By what a line is recognised, the surest first. GTINs that any shop may give out are no sign."""
    gtin = normal_gtin(line.gtin)
    if gtin and not (len(gtin) == 14 and gtin.isdigit() and is_in_store_gtin(gtin)):
        yield MatchKind.GTIN, gtin
    if line.sku:
        yield MatchKind.SKU, line.sku


def _remembered(session: Session, keys: Iterable[tuple[MatchKind, str]]) -> dict[tuple[str, str], UUID]:
    wanted = [and_(ProductMatch.kind == kind, ProductMatch.value == value) for kind, value in keys]
    if not wanted:
        return {}
    statement = select(ProductMatch.kind, ProductMatch.value, ProductMatch.product_id).where(or_(*wanted))
    return {(row.kind, row.value): row.product_id for row in session.execute(statement)}


def _match(line: Named, shelf: _Shelf) -> Match:
    if line.product_id:
        return Match(shelf.by_id.get(line.product_id))
    keys = list(_keys(line))
    for kind, value in keys:
        product_id = shelf.remembered.get((kind, value))
        if product_id is not None and product_id in shelf.by_id:
            return Match(shelf.by_id[product_id])
    said = dict(keys)
    gtin = said.get(MatchKind.GTIN)
    same_gtin = shelf.by_gtin.get(gtin, []) if gtin else []
    on_sale = [one for one in same_gtin if not one.is_archived]
    same_sku = shelf.by_sku.get(said.get(MatchKind.SKU, ""))
    key = keys[0] if keys else None
    if same_sku is not None and not same_sku.is_archived:
        if gtin and same_sku.gtin and same_sku.gtin != gtin:
            return Match(None, ExceptionKind.GTIN_MISMATCH, key, _shown([same_sku], on_sale))
        return Match(same_sku)
    if len(on_sale) == 1:
        return Match(on_sale[0])
    archived = [] if same_sku is None else [same_sku]
    fault = ExceptionKind.DUPLICATE_GTIN if on_sale else ExceptionKind.PRODUCT_NOT_FOUND
    return Match(None, fault, key, _shown(archived, on_sale or same_gtin))


def _shown(by_sku: Iterable[OrderedProduct], by_gtin: Iterable[OrderedProduct]) -> tuple[dict[str, Any], ...]:
    """Candidates with the reason: the SKU is the same, the GTIN is, or the product is archived."""
    found: dict[UUID, dict[str, Any]] = {}
    for reason, products in (("sku", by_sku), ("gtin", by_gtin)):
        for one in products:
            why = "archived" if one.is_archived else reason
            found.setdefault(
                one.id,
                {
                    "product_id": str(one.id),
                    "sku": one.sku,
                    "gtin": one.gtin,
                    "title": one.title,
                    "reason": why,
                },
            )
    return tuple(found.values())[:_MAX_CANDIDATES]
