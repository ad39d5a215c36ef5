"""Stock counts: rows of a file or of a page become lines, lines are compared with the stock, and applied.

A count replaces what is on hand, it does not add. A line that would leave less than orders hold is refused.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import FieldError, ValidationFailedError
from app.core.i18n import FALLBACK
from app.core.ids import new_id, to_public
from app.modules.audit import record_audit
from app.modules.catalog import facade as catalog
from app.modules.inventory.contracts import Cause, Change, Place
from app.modules.inventory.enums import CountStatus, MovementKind, Reason
from app.modules.inventory.exceptions import CountClosedError, CountNotFoundError
from app.modules.inventory.models.planning import StockCount, StockCountLine
from app.modules.inventory.services import level_service, rule_service, warehouse_service

COUNT_PREFIX = "cnt"
COLUMNS = ("sku", "warehouse", "bin_location", "on_hand", "low_stock_level")
MAX_LINES = 20_000
_MOST_UNITS = 10**9
_PORTION = 1000

Row = tuple[str, str, str, str, str]

# Of lines about the same place the first one counts.
_REFUSE_TWINS = text(
    """
    UPDATE stock_count_lines l SET fault = 'twice'
    WHERE l.vendor_id = :vendor AND l.count_id = :count AND l.fault IS NULL AND EXISTS (
        SELECT FROM stock_count_lines o
        WHERE o.vendor_id = :vendor AND o.count_id = :count AND o.line < l.line AND o.fault IS NULL
          AND o.product_id = l.product_id AND o.warehouse_id = l.warehouse_id AND o.bin_location = l.bin_location)
    """
)
_COMPARE = text(
    """
    UPDATE stock_count_lines l
    SET before = coalesce(i.on_hand, 0),
        fault = CASE WHEN l.on_hand < i.reserved THEN 'below_reserved' END
    FROM stock_count_lines s
    LEFT JOIN inventory i ON i.vendor_id = s.vendor_id AND i.product_id = s.product_id
        AND i.warehouse_id = s.warehouse_id AND i.bin_location = s.bin_location
    WHERE s.vendor_id = :vendor AND s.count_id = :count AND s.id = l.id AND l.vendor_id = :vendor
      AND coalesce(l.fault, 'below_reserved') = 'below_reserved'
    """
)


def read_file(content: bytes) -> list[Row]:
    """The rows of a CSV file with the columns of COLUMNS, of which ``sku`` and ``on_hand`` must be there, separated by
    comma, semicolon or tab. Raises ValidationFailedError."""
    try:
        content_text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        content_text = content.decode("cp1252", errors="replace")
    head = content_text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(content_text, newline=""), delimiter=delimiter)
    names = [name.strip().lower() for name in next(reader, [])]
    if "sku" not in names or "on_hand" not in names:
        raise _refused("columns")
    rows: list[Row] = []
    try:
        for values in reader:
            if not any(values):
                continue
            found = dict(zip(names, (value.strip() for value in values), strict=False))
            rows.append(
                (
                    found.get("sku", ""),
                    found.get("warehouse", ""),
                    found.get("bin_location", ""),
                    found.get("on_hand", ""),
                    found.get("low_stock_level", ""),
                )
            )
            if len(rows) > MAX_LINES:
                raise _refused("too_long", max=MAX_LINES)
    except csv.Error:
        raise _refused("unreadable") from None
    if not rows:
        raise _refused("empty")
    return rows


def create_count(
    session: Session, vendor_id: UUID, name: str, rows: Sequence[Row], *, user_id: UUID | None = None
) -> StockCount:
    """Draw up a count of rows (columns of COLUMNS); nothing of the stock is changed."""
    count = StockCount(vendor_id=vendor_id, name=name, user_id=user_id)
    session.add(count)
    session.flush()
    _write(session, count, rows, 0)
    _note(session, count, "created", lines=len(rows))
    return count


def add_rows(session: Session, count: StockCount, rows: Sequence[Row]) -> None:
    """Put further rows into a count that is open. Raises CountClosedError, and ValidationFailedError over MAX_LINES."""
    session.refresh(count, with_for_update=True)
    if count.status != CountStatus.OPEN:
        raise CountClosedError
    last = select(func.coalesce(func.max(StockCountLine.line), 0)).where(StockCountLine.count_id == count.id)
    start = session.scalars(last).one()
    if start + len(rows) > MAX_LINES:
        raise _refused("too_long", max=MAX_LINES)
    _write(session, count, rows, start)


def _write(session: Session, count: StockCount, rows: Sequence[Row], first: int) -> None:
    for start in range(0, len(rows), _PORTION):
        lines = list(_lines(session, count, rows[start : start + _PORTION], first + start))
        session.add_all(lines)
        session.flush()
    session.execute(_REFUSE_TWINS, {"count": count.id, "vendor": count.vendor_id})
    compare(session, count)


def get_count(session: Session, count_id: UUID) -> StockCount:
    """One count. Raises CountNotFoundError."""
    found = session.get(StockCount, count_id)
    if found is None:
        raise CountNotFoundError
    return found


def compare(session: Session, count: StockCount) -> None:
    """Note beside each line what the stock says now, and which lines it would not take."""
    session.flush()
    session.execute(_COMPARE, {"count": count.id, "vendor": count.vendor_id})
    session.expire_all()


def apply_count(session: Session, count: StockCount, *, user_id: UUID | None = None) -> tuple[int, int]:
    """Make the stock what was counted, as far as the lines have no fault; how many lines were applied and how many
    were not. Raises CountClosedError."""
    _close(session, count, CountStatus.APPLIED)
    cause = Cause(
        MovementKind.SET,
        Reason.COUNT,
        user_id=user_id,
        reference_type="count",
        reference_id=count.id,
        reference_label=count.name,
    )
    applied = refused = 0
    for lines in _portions(session, count):
        changes = {
            Place(line.product_id, line.warehouse_id, line.bin_location): line
            for line in lines
            if line.fault is None and line.product_id and line.warehouse_id
        }
        done = level_service.apply_changes(
            session, [Change(place, line.on_hand or 0, is_set=True) for place, line in changes.items()], cause
        )
        for place, line in changes.items():
            if place in done:
                line.before = done[place].before
                if line.low_stock_level is not None:
                    rule_service.set_low_level(
                        session, count.vendor_id, place.product_id, line.low_stock_level
                    )
            else:
                line.fault = "below_reserved"
        applied += len(done)
        refused += len(lines) - len(done)
        session.flush()
    _note(session, count, "applied", applied=applied, refused=refused)
    return applied, refused


def discard_count(session: Session, count: StockCount) -> None:
    """Throw a count away. Raises CountClosedError."""
    _close(session, count, CountStatus.DISCARDED)
    session.execute(delete(StockCountLine).where(StockCountLine.count_id == count.id))
    _note(session, count, "discarded")


def list_lines(session: Session, count_id: UUID, *, limit: int) -> Sequence[StockCountLine]:
    """The first lines, those with a fault and those that differ before the others."""
    differs = StockCountLine.on_hand.is_distinct_from(StockCountLine.before)
    return session.scalars(
        select(StockCountLine)
        .where(StockCountLine.count_id == count_id)
        .order_by(StockCountLine.fault.is_(None), differs.desc(), StockCountLine.line)
        .limit(limit)
    ).all()


def count_lines(session: Session, count_id: UUID) -> tuple[int, int, int]:
    """How many lines there are, how many of them change something, and how many have a fault."""
    line = StockCountLine
    row = session.execute(
        select(
            func.count(),
            func.count().filter(line.fault.is_(None), line.on_hand.is_distinct_from(line.before)),
            func.count().filter(line.fault.is_not(None)),
        ).where(line.count_id == count_id)
    ).one()
    return row[0], row[1], row[2]


def _lines(session: Session, count: StockCount, rows: Sequence[Row], start: int) -> Iterator[StockCountLine]:
    warehouses = {one.code: one.id for one in warehouse_service.list_warehouses(session)}
    default_id = warehouse_service.default_warehouse(session, count.vendor_id).id
    found = catalog.find_ordered(session, language=FALLBACK, skus={row[0] for row in rows})
    products = {product.sku: product.id for product in found}
    for number, (sku, warehouse, bin_location, on_hand, low) in enumerate(rows, start + 1):
        product_id = products.get(sku)
        warehouse_id = warehouses.get(warehouse) if warehouse else default_id
        units, level = _units(on_hand), _units(low)
        yield StockCountLine(
            id=new_id(),
            vendor_id=count.vendor_id,
            count_id=count.id,
            line=number,
            sku=sku[:200],
            product_id=product_id,
            warehouse_id=warehouse_id,
            bin_location=bin_location[:60],
            on_hand=units,
            low_stock_level=level,
            fault=_first(
                ("unknown_sku", product_id is None),
                ("unknown_warehouse", warehouse_id is None),
                ("no_number", units is None),
                ("no_level", bool(low) and level is None),
            ),
        )


def _first(*faults: tuple[str, bool]) -> str | None:
    return next((fault for fault, is_there in faults if is_there), None)


def _units(text: str) -> int | None:
    plain = text.replace(" ", "")
    if not plain.isascii() or not plain.isdigit() or int(plain) > _MOST_UNITS:
        return None
    return int(plain)


def _portions(session: Session, count: StockCount) -> Iterable[Sequence[StockCountLine]]:
    last = 0
    while True:
        lines = session.scalars(
            select(StockCountLine)
            .where(StockCountLine.count_id == count.id, StockCountLine.line > last)
            .order_by(StockCountLine.line)
            .limit(_PORTION)
        ).all()
        if not lines:
            return
        last = lines[-1].line
        yield lines


def _close(session: Session, count: StockCount, status: CountStatus) -> None:
    closed = session.execute(
        update(StockCount)
        .where(StockCount.id == count.id, StockCount.status == CountStatus.OPEN)
        .values(
            status=status.value,
            applied_at=clock.now(),
            updated_at=clock.now(),
            version=StockCount.version + 1,
        )
        .returning(StockCount.id)
        .execution_options(synchronize_session=False)
    ).all()
    if not closed:
        raise CountClosedError
    session.refresh(count)


def _refused(code: str, **params: int) -> ValidationFailedError:
    return ValidationFailedError(errors=[FieldError("file", code, f"inventory.count_file.{code}", params)])


def _note(session: Session, count: StockCount, act: str, **details: object) -> None:
    record_audit(
        session,
        f"inventory.count_{act}",
        vendor_id=count.vendor_id,
        target=to_public(COUNT_PREFIX, count.id),
        **details,
    )
