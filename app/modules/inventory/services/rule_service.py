"""Rules of the stock: when little is left, and how much of it a channel is shown."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from uuid import UUID

from sqlalchemy import ScalarSelect, SQLColumnExpression, func, or_, select, true
from sqlalchemy.orm import Session, aliased

from app.modules.audit import record_audit
from app.modules.inventory.contracts import LEVEL_WATCH, Rule
from app.modules.inventory.models.level import Level
from app.modules.inventory.models.planning import StockRule


def low_level_of(product_id: SQLColumnExpression[UUID]) -> ScalarSelect[int]:
    """At how many available units a product is low: its own rule, else the vendor's, else null. As SQL."""
    return (
        select(StockRule.low_stock_level)
        .where(
            StockRule.channel.is_(None),
            StockRule.low_stock_level.is_not(None),
            or_(StockRule.product_id == product_id, StockRule.product_id.is_(None)),
        )
        .order_by(StockRule.product_id.asc().nulls_last())
        .limit(1)
        .correlate_except(StockRule)
        .scalar_subquery()
    )


def kept_back_of(product_id: SQLColumnExpression[UUID]) -> ScalarSelect[int]:
    """How many of a product's available units no channel is shown: by its own rule, else by the vendor's. As SQL."""
    one = aliased(Level)
    free = select(func.sum(one.on_hand - one.reserved)).where(one.product_id == product_id)
    return (
        select(func.least(StockRule.kept_back, free.correlate_except(one).scalar_subquery()))
        .where(
            StockRule.channel.is_(None),
            StockRule.kept_back.is_not(None),
            or_(StockRule.product_id == product_id, StockRule.product_id.is_(None)),
        )
        .order_by(StockRule.product_id.asc().nulls_last())
        .limit(1)
        .correlate_except(StockRule)
        .scalar_subquery()
    )


def list_rules(session: Session, product_id: UUID | None) -> Sequence[StockRule]:
    """The rules of a product, or of all (None), the one for all channels first."""
    mine = StockRule.product_id.is_(None) if product_id is None else StockRule.product_id == product_id
    return session.scalars(select(StockRule).where(mine).order_by(StockRule.channel.nulls_first())).all()


def find_rule(session: Session, product_id: UUID | None, channel: str | None) -> StockRule | None:
    """One rule."""
    return next((rule for rule in list_rules(session, product_id) if rule.channel == channel), None)


def set_rule(
    session: Session, vendor_id: UUID, product_id: UUID | None, channel: str | None, said: Rule
) -> None:
    """Say what holds for a product (None: for all) on a channel (None: on all). Nothing said removes the rule."""
    found, values = find_rule(session, product_id, channel), asdict(said)
    before = _said(found)
    if said == Rule():
        if found is None:
            return
        session.delete(found)
    elif found is None:
        session.add(StockRule(vendor_id=vendor_id, product_id=product_id, channel=channel, **values))
    else:
        for name, value in values.items():
            setattr(found, name, value)
    session.flush()
    record_audit(
        session,
        "inventory.rule_changed",
        vendor_id=vendor_id,
        target=str(product_id or vendor_id),
        channel=channel,
        **values,
    )
    watch = LEVEL_WATCH.find_for(vendor_id)
    if watch is not None and said != before:  # channels may be shown another level now
        watch(session, vendor_id)


def set_low_level(session: Session, vendor_id: UUID, product_id: UUID, level: int | None) -> None:
    """At how many available units a product is low; None: as the vendor's rule says."""
    found = find_rule(session, product_id, None)
    before = _said(found)
    if before.low_stock_level != level:
        set_rule(session, vendor_id, product_id, None, replace(before, low_stock_level=level))


def _said(found: StockRule | None) -> Rule:
    return Rule(found.low_stock_level, found.kept_back, found.most_listed) if found else Rule()


def available_for(session: Session, channel: str, product_ids: Sequence[UUID] | None) -> dict[UUID, int]:
    """How many units of each tracked product (None: of all) a channel may be shown: what is available, less what is
    kept back, and no more than is ever listed there. A rule of the product goes before the vendor's, one of the channel
    before the rest."""
    free = func.sum(Level.on_hand - Level.reserved)
    found = (
        select(Level.product_id, free, _rule("kept_back", channel), _rule("most_listed", channel))
        .where(true() if product_ids is None else Level.product_id.in_(product_ids))
        .group_by(Level.product_id)
    )
    shown = {}
    for product_id, available, kept_back, most_listed in session.execute(found):
        units = max(int(available) - (kept_back or 0), 0)
        shown[product_id] = units if most_listed is None else min(units, most_listed)
    return shown


def _rule(name: str, channel: str) -> ScalarSelect[int]:
    column = getattr(StockRule, name)
    return (
        select(column)
        .where(
            column.is_not(None),
            or_(StockRule.channel == channel, StockRule.channel.is_(None)),
            or_(StockRule.product_id == Level.product_id, StockRule.product_id.is_(None)),
        )
        .order_by(StockRule.product_id.asc().nulls_last(), StockRule.channel.asc().nulls_last())
        .limit(1)
        .correlate(Level)
        .scalar_subquery()
    )
