"""The statements that write the stock. Each is one act: it locks the places of its products in the order of their
keys, changes them, and writes reservations and the ledger from what it changed.

No statement names the vendor but where it writes a row: the policies let it see no other's.

They go to the driver as they are, arrays as their text: to compile a statement and to look each value of a list over
takes longer than all else that an act does here.

New figures are made of those that were read under the lock, never of the row's own: PostgreSQL tries a table's checks
on the row as the statement first saw it, before it finds that another writer has changed it.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, literal_column
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from app.modules.catalog import facade as catalog

_VENDOR = "%(vendor_id)s"
_NOW = "%(now)s"
# A UUIDv7 as every supported PostgreSQL can make it: how many rows an act writes is known only while it is done.
_NEW_ID = (
    "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7' || "
    "substr(gen_random_uuid()::text, 16))::uuid"
)
_LEDGER = (
    "INSERT INTO stock_movements (id, vendor_id, product_id, warehouse_id, bin_location, sequence, kind, "
    "on_hand_change, reserved_change, on_hand_after, reserved_after, reason, note, user_id, reference_type, "
    "reference_id, reference_label, at) "
)
_ORDER = f"NULL, NULL, %(user_id)s::uuid, 'order', %(order_id)s, %(reference)s, {_NOW}"
_SKU = catalog.sku_of(literal_column("m.product_id")).compile(dialect=postgresql.dialect())  # type: ignore[no-untyped-call]
# What every act says of each product that it changed: all its places are locked, so these are the figures until the
# transaction ends. ``is_alerted``: people were told that little is left.
_TOLD = f"""
    moved AS (
        SELECT product_id, sum(on_hand_change)::bigint AS on_hand, sum(reserved_change)::bigint AS reserved
        FROM changed GROUP BY product_id
    ), told AS (
        SELECT m.product_id, ({_SKU}) AS sku, t.on_hand + m.on_hand AS all_on_hand,
               t.on_hand + m.on_hand - t.reserved - m.reserved AS available,
               (SELECT s.low_stock_level FROM stock_rules s
                WHERE s.channel IS NULL AND s.low_stock_level IS NOT NULL
                  AND (s.product_id = m.product_id OR s.product_id IS NULL)
                ORDER BY s.product_id NULLS LAST LIMIT 1) AS low_stock_level,
               EXISTS (SELECT FROM stock_alerts a
                       WHERE a.product_id = m.product_id) AS is_alerted
        FROM moved m JOIN (
            SELECT product_id, sum(on_hand)::bigint AS on_hand, sum(reserved)::bigint AS reserved
            FROM locked GROUP BY product_id
        ) t USING (product_id)
    )"""


def run(session: Session, statement: str, values: Mapping[str, object]) -> CursorResult[Any]:
    """Carry out one of the statements below."""
    return session.connection().exec_driver_sql(statement, values)


def array(values: Iterable[UUID | int]) -> str:
    """The text of an array."""
    return "{" + ",".join(map(str, values)) + "}"


def _statement(sql: str) -> str:
    """Without indentation: the driver looks longer ones than 4,096 characters over anew each time."""
    return " ".join(sql.split())


# The lines of an order and the free units of a product each lie one behind the other, as stretches of one line. Where a
# line's stretch and a place's overlap, that many units are taken there: what is checked is what is booked.
# Who does not wait for stock is refused without a lock where too little is seen: a crowd before an empty shelf does not
# queue for it. Who waits asks under the lock: what comes while he asks would else pass him by.
RESERVE = _statement(
    f"""
    WITH wanted AS (
        SELECT w.line_id, w.product_id, w.quantity,
               sum(w.quantity) OVER (PARTITION BY w.product_id ORDER BY w.line_id) AS upto
        FROM unnest(%(lines)s::uuid[], %(products)s::uuid[], %(quantities)s::int[])
             AS w (line_id, product_id, quantity)
        WHERE NOT EXISTS (
            SELECT FROM stock_reservations r
            WHERE r.order_id = %(order_id)s AND r.line_id = w.line_id)
    ), asked AS (
        SELECT w.product_id, max(w.upto) AS units FROM wanted w GROUP BY w.product_id
    ), hopeless AS (
        SELECT i.product_id, sum(i.on_hand - i.reserved) AS free
        FROM inventory i JOIN asked a USING (product_id) WHERE NOT %(waits)s::boolean
        GROUP BY i.product_id, a.units HAVING sum(i.on_hand - i.reserved) < a.units
    ), locked AS (
        SELECT i.*, i.on_hand - i.reserved AS free FROM inventory i
        WHERE i.product_id = ANY (%(products)s::uuid[]) AND NOT EXISTS (SELECT FROM hopeless)
        ORDER BY i.product_id, i.id FOR UPDATE
    ), places AS (
        SELECT l.*, sum(l.free) OVER (PARTITION BY l.product_id ORDER BY w.priority, w.code, bin_location) AS upto
        FROM locked l JOIN warehouses w ON w.id = l.warehouse_id
    ), short AS (
        SELECT p.product_id, max(p.upto) AS free FROM places p JOIN asked a USING (product_id)
        GROUP BY p.product_id, a.units HAVING max(p.upto) < a.units
        UNION ALL TABLE hopeless
    ), pieces AS (
        SELECT w.line_id, p.*,
               least(w.upto, p.upto) - greatest(w.upto - w.quantity, p.upto - p.free) AS units
        FROM wanted w JOIN places p ON p.product_id = w.product_id
        WHERE least(w.upto, p.upto) > greatest(w.upto - w.quantity, p.upto - p.free)
          AND NOT EXISTS (SELECT FROM short)
    ), changed AS (
        UPDATE inventory i
        SET on_hand = t.on_hand, reserved = t.reserved + t.units, version = t.version + 1,
            updated_at = {_NOW}
        FROM (
            SELECT id, on_hand, reserved, version, sum(units)::bigint AS units
            FROM pieces GROUP BY id, on_hand, reserved, version
        ) t
        WHERE i.id = t.id
        RETURNING i.product_id, i.warehouse_id, i.bin_location, i.version, i.on_hand, i.reserved,
                  0 AS on_hand_change, t.units AS reserved_change
    ), booked AS (
        INSERT INTO stock_reservations (id, vendor_id, order_id, line_id, product_id, warehouse_id, bin_location,
            quantity, fulfilled, released, returned, reference_label, created_at, updated_at, version)
        SELECT {_NEW_ID}, {_VENDOR}, %(order_id)s, line_id, product_id, warehouse_id, bin_location, units, 0, 0, 0,
               %(reference)s, {_NOW}, {_NOW}, 1
        FROM pieces
    ), noted AS (
        {_LEDGER}
        SELECT {_NEW_ID}, {_VENDOR}, product_id, warehouse_id, bin_location, version - 1, 'reserve', 0,
               reserved_change, on_hand, reserved, {_ORDER}
        FROM changed
    ), {_TOLD}
    SELECT product_id, sku, all_on_hand, available, low_stock_level, is_alerted, false AS is_short FROM told
    UNION ALL SELECT product_id, '', 0, free::bigint, NULL, false, true FROM short
    """
)


def _of_reservations(kind: str, left: str, column: str, *, on_hand: int, reserved: int) -> str:
    """An act on what an order reserved: on all that is ``left`` of it, or on so many units of some lines, and no more
    than is left. ``on_hand`` and ``reserved`` say what a unit does to them."""
    return f"""
    WITH open AS MATERIALIZED (
        SELECT r.id, r.line_id, r.product_id, r.warehouse_id, r.bin_location, r.{column} AS ended, {left} AS units
        FROM stock_reservations r
        WHERE r.order_id = %(order_id)s AND {left} > 0
        ORDER BY r.id FOR UPDATE
    ), wanted AS MATERIALIZED (
        SELECT g.line_id, sum(g.quantity)::bigint AS quantity
        FROM unnest(%(lines)s::uuid[], %(quantities)s::bigint[]) AS g (line_id, quantity)
        GROUP BY g.line_id
    ), stretched AS MATERIALIZED (
        SELECT o.*, (sum(o.units) OVER (PARTITION BY o.line_id ORDER BY o.id))::bigint AS upto FROM open o
    ), pieces AS MATERIALIZED (
        SELECT s.id, s.product_id, s.warehouse_id, s.bin_location, s.ended,
               CASE WHEN %(is_all)s::boolean THEN s.units
                    ELSE least(w.quantity, s.upto) - (s.upto - s.units) END AS units
        FROM stretched s LEFT JOIN wanted w ON w.line_id = s.line_id
        WHERE %(is_all)s::boolean OR w.quantity > s.upto - s.units
    ), locked AS MATERIALIZED (
        SELECT i.id, i.product_id, i.warehouse_id, i.bin_location, i.on_hand, i.reserved, i.version FROM inventory i
        WHERE i.product_id = ANY (ARRAY (SELECT p.product_id FROM pieces p))
        ORDER BY i.product_id, i.id FOR UPDATE
    ), changed AS (
        UPDATE inventory i
        SET on_hand = t.on_hand + {on_hand} * t.units, reserved = t.reserved + {reserved} * t.units,
            version = t.version + 1, updated_at = {_NOW}
        FROM (
            SELECT l.id, l.on_hand, l.reserved, l.version, sum(p.units)::bigint AS units
            FROM pieces p JOIN locked l USING (product_id, warehouse_id, bin_location)
            GROUP BY l.id, l.on_hand, l.reserved, l.version
        ) t
        WHERE i.id = t.id
        RETURNING i.product_id, i.warehouse_id, i.bin_location, i.version, i.on_hand, i.reserved,
                  {on_hand} * t.units AS on_hand_change, {reserved} * t.units AS reserved_change
    ), ended AS (
        UPDATE stock_reservations r
        SET {column} = p.ended + p.units, version = r.version + 1, updated_at = {_NOW}
        FROM pieces p WHERE r.id = p.id
    ), noted AS (
        {_LEDGER}
        SELECT {_NEW_ID}, {_VENDOR}, c.product_id, c.warehouse_id, c.bin_location, c.version - 1, '{kind}',
               c.on_hand_change, c.reserved_change, c.on_hand, c.reserved, {_ORDER}
        FROM changed c
    ), {_TOLD}
    SELECT product_id, sku, all_on_hand, available, low_stock_level, is_alerted FROM told
    """


_STILL_HELD, _TAKEN = "r.quantity - r.fulfilled - r.released", "r.fulfilled - r.returned"
RELEASE = _statement(_of_reservations("release", _STILL_HELD, "released", on_hand=0, reserved=-1))
FULFIL = _statement(_of_reservations("fulfil", _STILL_HELD, "fulfilled", on_hand=-1, reserved=-1))
# What came back goes to where it was taken from, and no more of it than was taken.
RESTOCK = _statement(_of_reservations("return", _TAKEN, "returned", on_hand=1, reserved=0))

# Places that are not there yet; a place that another writer makes at the same moment is waited for.
OPEN_PLACES = _statement(
    f"""
    INSERT INTO inventory (id, vendor_id, product_id, warehouse_id, bin_location, on_hand, reserved, created_at,
        updated_at, version)
    SELECT {_NEW_ID}, {_VENDOR}, p.product_id, p.warehouse_id, p.bin_location, 0, 0, {_NOW},
           {_NOW}, 1
    FROM unnest(%(products)s::uuid[], %(warehouses)s::uuid[], %(bins)s::text[])
         AS p (product_id, warehouse_id, bin_location)
    ORDER BY 2, 3, 4, 5
    ON CONFLICT (vendor_id, product_id, warehouse_id, bin_location) DO NOTHING
    """
)
# Of places that have too few free units nothing is changed: the caller sees which are missing from the answer.
CHANGE = _statement(
    f"""
    WITH wanted AS MATERIALIZED (
        SELECT * FROM unnest(%(products)s::uuid[], %(warehouses)s::uuid[], %(bins)s::text[],
            %(units)s::bigint[], %(sets)s::boolean[])
            AS w (product_id, warehouse_id, bin_location, units, is_set)
    ), locked AS MATERIALIZED (
        SELECT i.id, i.product_id, i.warehouse_id, i.bin_location, i.on_hand, i.reserved, i.version
        FROM inventory i
        WHERE i.product_id = ANY (%(products)s::uuid[])
        ORDER BY i.product_id, i.id FOR UPDATE
    ), aimed AS MATERIALIZED (
        SELECT l.id, CASE WHEN w.is_set THEN w.units ELSE l.on_hand + w.units END AS on_hand, l.on_hand AS before,
               l.reserved, l.version
        FROM locked l JOIN wanted w USING (product_id, warehouse_id, bin_location)
    ), changed AS (
        UPDATE inventory i
        SET on_hand = a.on_hand, reserved = a.reserved, updated_at = {_NOW},
            version = a.version + CASE WHEN a.on_hand = a.before THEN 0 ELSE 1 END
        FROM aimed a WHERE i.id = a.id AND a.on_hand >= a.reserved
        RETURNING i.product_id, i.warehouse_id, i.bin_location, i.version, i.on_hand, i.reserved, a.before,
                  a.on_hand - a.before AS on_hand_change, 0 AS reserved_change
    ), noted AS (
        {_LEDGER}
        SELECT {_NEW_ID}, {_VENDOR}, c.product_id, c.warehouse_id, c.bin_location, c.version - 1,
               %(kind)s::text, c.on_hand_change, 0, c.on_hand, c.reserved, %(reason)s::text,
               %(note)s::text, %(user_id)s::uuid, %(reference_type)s::text,
               %(reference_id)s::uuid, %(reference_label)s::text, {_NOW}
        FROM changed c WHERE c.on_hand_change <> 0
    ), {_TOLD}
    SELECT c.warehouse_id, c.bin_location, c.before, c.on_hand, c.reserved, t.*
    FROM changed c JOIN told t USING (product_id)
    """
)
