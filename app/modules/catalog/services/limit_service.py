"""The plan's limit of products: the oldest fit. What is over it can be read, exported and put away, not changed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.core.database import ScopedSession, TenantScope
from app.modules import entitlements
from app.modules.catalog.contracts import Intake
from app.modules.catalog.models.product import Product

PRODUCTS = "catalog.products"
FULL, SURPLUS = "catalog.limits.full", "catalog.limits.surplus"  # texts for rows that were left alone

_VENDOR = "nullif(current_setting('app.vendor_id', true), '')::uuid"
_PRESENT = Product.archived_at.is_(None)


def count_present(session: Session) -> int:
    """How many products the vendor has, without those that were put away."""
    return session.scalar(select(func.count()).select_from(Product).where(_PRESENT)) or 0


def claim_room(session: Session) -> None:
    """Make sure that one more product fits; other writers wait until the transaction ends. Raises LimitReachedError."""
    entitlements.consume(session, _vendor_id(session), PRODUCTS)


def is_full(session: Session) -> bool:
    """Whether the plan allows no more products."""
    return entitlements.allowance(session, _vendor_id(session), PRODUCTS).is_full


def check_editable(session: Session, product: Product) -> None:
    """Raise SurplusError for a product that is over the plan's limit."""
    if product.archived_at is None:
        older = select(func.count()).select_from(Product).where(_PRESENT, Product.id <= product.id)
        entitlements.check_editable(session, product.vendor_id, PRODUCTS, lambda: session.scalar(older) or 0)


def find_surplus(session: Session, ids: Sequence[UUID]) -> list[UUID]:
    """Those of some products that are over the plan's limit."""
    first = _first_surplus(session)
    if first is None:
        return []
    return list(session.scalars(select(Product.id).where(_PRESENT, Product.id.in_(ids), Product.id >= first)))


def split_restorable(session: Session, ids: Sequence[UUID]) -> tuple[list[UUID], list[UUID]]:
    """Of products that were put away: those for which there is room, the oldest first, and the others."""
    found = select(Product.id).where(Product.id.in_(ids), ~_PRESENT).order_by(Product.id)
    waiting = list(session.scalars(found))
    fits = entitlements.take(session, _vendor_id(session), PRODUCTS, len(waiting))
    return waiting[:fits], waiting[fits:]


def refuse_over_limit(session: Session, intake: Intake, created: int) -> tuple[int, ...]:
    """Take the rows out of a matched intake that the plan leaves no room for, and those of products that are over its
    limit already; their lines. ``created``: how many rows would make a product."""
    assert isinstance(session, ScopedSession)
    if not isinstance(session.scope, TenantScope):
        return ()  # the database lets nobody write products without a vendor
    tables = {"table": intake.table, "results": intake.results}
    refused: list[int] = []
    if created:
        fits = entitlements.take(session, _vendor_id(session), PRODUCTS, created)
        if fits < created:
            refused += session.scalars(text(_FIND_NEW.format(**tables)), {"fits": fits})
    first = _first_surplus(session)
    if first is not None:
        refused += session.scalars(text(_TAKE_SURPLUS.format(**tables)), {"first": first})
    if refused:
        session.execute(text(_TAKE_ROWS.format(**tables)), {"lines": refused})
    return tuple(sorted(refused))


def _first_surplus(session: Session) -> UUID | None:
    """The oldest product over the limit; ids rise with time."""
    limit = entitlements.find_limit(session, _vendor_id(session), PRODUCTS)
    if limit is None:
        return None
    return session.scalar(select(Product.id).where(_PRESENT).order_by(Product.id).offset(limit).limit(1))


_FIND_NEW = """
    SELECT line FROM pg_temp.{table} i
    WHERE NOT EXISTS (SELECT FROM pg_temp.{results} r WHERE r.line = i.line) ORDER BY line OFFSET :fits
"""
_TAKE_SURPLUS = f"""
    DELETE FROM pg_temp.{{results}} r USING products p
    WHERE p.vendor_id = {_VENDOR} AND p.id = r.product_id AND p.id >= :first AND p.archived_at IS NULL
    RETURNING r.line
"""
_TAKE_ROWS = "DELETE FROM pg_temp.{table} WHERE line = ANY(:lines)"


def _vendor_id(session: Session) -> UUID:
    assert isinstance(session, ScopedSession)
    assert isinstance(session.scope, TenantScope)
    return session.scope.vendor_id
