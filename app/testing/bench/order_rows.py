"""Many orders at once, written by the owner of the tables: buyers, lines, shipments, history."""

from sqlalchemy import Engine, text

_CUSTOMERS = """
    INSERT INTO customers (id, vendor_id, email, email_norm, first_name, last_name, language, status, source_channel,
        orders_count, spent_cents, search_vector, created_at, updated_at, version)
    SELECT gen_random_uuid(), v.id, mail, mail, first, last, 'fr', 'active', 'direct', 10, 100000,
        to_tsvector('simple', concat_ws(' ', first, last, mail)), now(), now(), 1
    FROM vendors v, generate_series(1, :buyers) i, LATERAL (SELECT
        (ARRAY['Anne', 'Marc', 'Julie', 'Tom', 'Claire', 'Paul'])[1 + i % 6] AS first,
        (ARRAY['Weber', 'Thill', 'Lambert', 'Reuter', 'Muller', 'Kayser', 'Schmit'])[1 + i % 7] AS last,
        'bench' || i || '@mail.example' AS mail) n
"""
_ORDERS = """
    INSERT INTO orders (id, vendor_id, number, channel, external_id, customer_id, buyer, shipping_address,
        billing_address, email_norm, ship_country, currency, status, regime, goods_cents, discount_cents,
        shipping_cents, total_cents, vat_cents, cancelled_cents, refunded_cents, paid_at, placed_at, confirm_before,
        confirmed_at, shipped_at, pending_exceptions, search_vector, created_at, updated_at, version)
    SELECT gen_random_uuid(), c.vendor_id, 'B' || lpad(i::text, 6, '0'), (ARRAY['direct', 'letzshop'])[1 + i % 2],
        'bench-' || i, c.id,
        jsonb_build_object('email', c.email, 'first_name', c.first_name, 'last_name', c.last_name, 'language', 'fr'),
        a.address, a.address, c.email_norm, 'LU', 'EUR', s.status, 'domestic', 2340, 0, 0, 2340, 340, 0, 0, t.at, t.at,
        t.at + interval '2 days', CASE WHEN s.status <> 'pending' THEN t.at END,
        CASE WHEN s.status IN ('shipped', 'delivered') THEN t.at END, 0,
        to_tsvector('simple', concat_ws(' ', 'B' || lpad(i::text, 6, '0'), c.first_name, c.last_name, c.email)),
        t.at, t.at, 1
    FROM (SELECT *, row_number() OVER (PARTITION BY vendor_id ORDER BY email_norm) AS place FROM customers
        WHERE email_norm LIKE 'bench%') c
    JOIN generate_series(1, :per_vendor) i ON c.place = 1 + i % :buyers,
    LATERAL (SELECT now() - i * interval '20 minutes' AS at) t,
    LATERAL (SELECT (ARRAY['pending', 'processing', 'shipped', 'delivered', 'delivered'])[1 + i % 5] AS status) s,
    LATERAL (SELECT jsonb_build_object('name', c.first_name || ' ' || c.last_name, 'line1', '1, rue du Fort',
        'postcode', 'L-2226', 'city', 'Luxembourg', 'country', 'LU') AS address) a
"""
_LINES = """
    INSERT INTO order_lines (id, vendor_id, order_id, position, kind, product_id, sku, title, quantity,
        unit_price_cents, discount_cents, gross_cents, net_cents, vat_cents, tax_rate_bp, tax_category, tax_class,
        decision, cancelled_quantity, shipped_quantity, returned_quantity, refunded_quantity, refunded_cents,
        external_unit_ids, created_at, updated_at, version)
    SELECT gen_random_uuid(), o.vendor_id, o.id, place, 'product', p.id, p.sku, 'Bench ' || p.sku, 1, 1170, 0, 1170,
        1000, 170, 1700, 'S', 'standard', CASE WHEN o.status = 'pending' THEN 'pending' ELSE 'confirmed' END, 0,
        CASE WHEN o.shipped_at IS NULL THEN 0 ELSE 1 END, 0, 0, 0, '{}', o.placed_at, o.placed_at, 1
    FROM (SELECT *, row_number() OVER (PARTITION BY vendor_id ORDER BY number) AS n FROM orders
        WHERE number LIKE 'B%') o
    CROSS JOIN generate_series(1, 2) place
    JOIN (SELECT id, vendor_id, sku, row_number() OVER (PARTITION BY vendor_id ORDER BY sku) AS n FROM products
        WHERE sku LIKE 'BENCH-%') p ON p.vendor_id = o.vendor_id AND p.n = 1 + (o.n * 2 + place) % :products
"""
_SHIPMENTS = """
    INSERT INTO shipments (id, vendor_id, order_id, number, status, shipped_at, created_at, updated_at, version)
    SELECT gen_random_uuid(), vendor_id, id, number || '-1',
        CASE status WHEN 'delivered' THEN 'delivered' ELSE 'shipped' END, shipped_at, shipped_at, shipped_at, 1
    FROM orders WHERE number LIKE 'B%' AND shipped_at IS NOT NULL
"""
_HISTORY = """
    INSERT INTO order_history (id, vendor_id, order_id, kind, source, data, at)
    SELECT gen_random_uuid(), vendor_id, id, 'placed', 'channel', '{}', placed_at FROM orders WHERE number LIKE 'B%'
"""
_BUYERS = 200


def write_orders(engine: Engine, *, orders: int, vendors: int, products: int) -> None:
    """``orders`` orders, spread evenly over all vendors, of the products that were written for measuring."""
    values = {"buyers": _BUYERS, "per_vendor": orders // vendors, "products": products // vendors}
    with engine.begin() as connection:
        for statement in (_CUSTOMERS, _ORDERS, _LINES, _SHIPMENTS, _HISTORY):
            used = {name: value for name, value in values.items() if f":{name}" in statement}
            connection.execute(text(statement), used)
