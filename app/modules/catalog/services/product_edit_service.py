"""Changing products by hand: what was changed no longer follows the feed."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from app.core import clock
from app.core.errors import FieldError, ValidationFailedError
from app.core.ids import new_id, to_public
from app.modules.catalog.contracts import TRANSLATION_FIELDS
from app.modules.catalog.events import ProductUpdated
from app.modules.catalog.exceptions import ProductNotFoundError
from app.modules.catalog.models.product import Product, ProductTranslation
from app.modules.catalog.services.intake_service import SEARCH_VECTOR
from app.modules.catalog.services.limit_service import check_editable, claim_room
from app.modules.events import publish
from app.modules.tenancy.facade import record_audit

PREFIX = "prd"
FACTS = (
    "price_cents",
    "sale_price_cents",
    "availability",
    "brand",
    "gtin",
    "image_link",
    "tax_class",
    "kind",
)
TEXTS = ("title", "description")
_OWN = frozenset({"is_active", "tax_class", "kind"})  # no feed says these

Texts = Mapping[str, Mapping[str, str | None]]

_REFRESH_SEARCH = text(
    f"""
    UPDATE product_translations t SET search_vector = {SEARCH_VECTOR.format(title="t.title", p="p")}
    FROM products p WHERE p.vendor_id = t.vendor_id AND p.id = t.product_id AND t.product_id = :product_id
    """
)


def get_for_change(session: Session, product_id: UUID) -> Product:
    """A product as it is now. Raises ProductNotFoundError."""
    product = session.get(Product, product_id)
    if product is None:
        raise ProductNotFoundError
    return product


def list_texts(session: Session, product_id: UUID) -> Sequence[ProductTranslation]:
    """A product's texts, by language."""
    return session.scalars(
        select(ProductTranslation)
        .where(ProductTranslation.product_id == product_id)
        .order_by(ProductTranslation.language)
    ).all()


def change_product(
    session: Session, product: Product, changes: Mapping[str, Any], texts: Texts | None = None
) -> None:
    """Set fields (FACTS and ``is_active``) and texts by language (TEXTS), and raise the version.

    What is not named stays as it is. Raises ValidationFailedError when the sale price is not below the price, and for
    a language that has a description but no title, or loses its title; SurplusError.
    """
    check_editable(session, product)
    changed = {name: value for name, value in changes.items() if getattr(product, name) != value}
    for name, value in changed.items():
        setattr(product, name, value)
    _check_prices(product)
    product.edited_fields = sorted({*product.edited_fields, *(changed.keys() - _OWN)})
    written = _change_texts(session, product, texts or {})
    if not changed and not written:
        return
    fields = ", ".join(sorted({*changed, *written}))
    _finish(session, product, "catalog.product_changed", fields=fields)
    if written or not _OWN.issuperset(changed):
        session.execute(_REFRESH_SEARCH, {"product_id": product.id})


def create_product(
    session: Session, *, vendor_id: UUID, sku: str, facts: Mapping[str, Any], texts: Texts
) -> Product:
    """A product made by hand, in euro; what it says does not follow a feed that brings the same SKU later.

    Raises ValidationFailedError for a SKU that there is already, and as `change_product` does; LimitReachedError.
    """
    claim_room(session)
    if session.scalar(select(Product.id).where(Product.sku == sku)) is not None:
        raise _refused("sku", "taken", "errors.catalog.sku_taken")
    product = Product(
        id=new_id(),
        vendor_id=vendor_id,
        sku=sku,
        currency="EUR",
        additional_image_links=[],
        attributes={},
        edited_fields=sorted(name for name, value in facts.items() if value is not None and name not in _OWN),
        **facts,
    )
    _check_prices(product)
    session.add(product)
    session.flush()
    _change_texts(session, product, texts)
    session.flush()
    session.execute(_REFRESH_SEARCH, {"product_id": product.id})
    record_audit(
        session, "catalog.product_created", vendor_id=vendor_id, target=to_public(PREFIX, product.id), sku=sku
    )
    return product


def follow_feed(
    session: Session, product_id: UUID, field: str, value: Any, *, language: str | None = None
) -> None:
    """Give a field that was edited by hand the feed's value again, and let it follow the feed from now on.

    ``language``: of a text. A field that was not edited stays. Raises ProductNotFoundError, SurplusError.
    """
    product = get_for_change(session, product_id)
    check_editable(session, product)
    owner: Product | ProductTranslation | None = product
    if field in TRANSLATION_FIELDS:
        owner = session.get(ProductTranslation, (product.vendor_id, product_id, language))
    if owner is None or field not in owner.edited_fields:
        return
    setattr(owner, field, value)
    owner.edited_fields = [name for name in owner.edited_fields if name != field]
    _finish(session, product, "catalog.field_follows_feed", fields=field)
    session.execute(_REFRESH_SEARCH, {"product_id": product_id})


def set_active(session: Session, ids: Sequence[UUID], is_active: bool) -> int:
    """Show products in exports and shops, or no longer; how many were not so before."""
    action = "catalog.product_activated" if is_active else "catalog.product_deactivated"
    found = select(Product).where(Product.id.in_(ids), Product.is_active.is_(not is_active))
    return _change_state(session, found, action, is_active=is_active)


def set_archived(session: Session, ids: Sequence[UUID], is_archived: bool) -> int:
    """Put products away, or bring them back; how many were not so before."""
    action = "catalog.product_archived" if is_archived else "catalog.product_restored"
    where = Product.archived_at.is_(None) if is_archived else Product.archived_at.is_not(None)
    found = select(Product).where(Product.id.in_(ids), where)
    return _change_state(session, found, action, archived_at=clock.now() if is_archived else None)


def _change_state(session: Session, found: Any, action: str, **values: Any) -> int:
    products = session.scalars(found.order_by(Product.id)).all()
    for product in products:
        for name, value in values.items():
            setattr(product, name, value)
        _finish(session, product, action)
    return len(products)


def _finish(session: Session, product: Product, action: str, **details: Any) -> None:
    """Raise the version also where only texts changed; say it in the audit log and to whoever listens."""
    product.updated_at = clock.now()
    flag_modified(product, "updated_at")
    session.flush()
    record_audit(
        session, action, vendor_id=product.vendor_id, target=to_public(PREFIX, product.id), **details
    )
    event = ProductUpdated(product.id, product.sku, product.version)
    publish(session, event, vendor_id=product.vendor_id, aggregate=str(product.id))


def _change_texts(session: Session, product: Product, texts: Texts) -> list[str]:
    """The fields of texts that changed, as ``title (fr)``."""
    with session.no_autoflush:  # one change of the product, one version
        present = {row.language: row for row in list_texts(session, product.id)} if texts else {}
    written = []
    for language, wanted in texts.items():
        row = present.get(language)
        values = {name: wanted[name] or None for name in TEXTS if name in wanted}
        title = values.get("title", row.title if row else None)
        if not title and (row is not None or values.get("description")):
            raise _refused(f"title_{language}", "required", "errors.catalog.title_missing")
        changed = [name for name, value in values.items() if value != (getattr(row, name) if row else None)]
        if row is None and changed:
            row = ProductTranslation(
                vendor_id=product.vendor_id,
                product_id=product.id,
                language=language,
                edited_fields=[],
                search_vector=text("''::tsvector"),
            )
            session.add(row)
        for name in changed if row else ():
            setattr(row, name, values[name])
        if row and changed:
            row.edited_fields = sorted({*row.edited_fields, *changed})
        written += [f"{name} ({language})" for name in changed]
    return written


def _check_prices(product: Product) -> None:
    if product.sale_price_cents is not None and product.sale_price_cents >= product.price_cents:
        raise _refused("sale_price_cents", "not_lower", "errors.catalog.sale_price_not_lower")


def _refused(pointer: str, code: str, message_key: str) -> ValidationFailedError:
    return ValidationFailedError(errors=[FieldError(pointer, code, message_key, {})])
