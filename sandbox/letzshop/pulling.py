"""Pulling the feeds of the shops, and what becomes of their rows."""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from typing import Any

import httpx2

from sandbox.letzshop.feeds import FeedError, Reading, Row, read_feed
from sandbox.letzshop.shops import new_product, parser_of
from sandbox.letzshop.state import Letzshop
from sandbox.store import Object

_SECONDS = 30.0
_MOST_BYTES = 256 * 1024 * 1024
_ROWS_AT_ONCE = 500
_LOCK = threading.Lock()  # one pull at a time
_Mark = tuple[str, ...]  # of what is remembered of a feed: it is read anew when any of it changes


def pull_now(letzshop: Letzshop, code: str | None = None) -> list[Object]:
    """Pull the feeds of a shop, or of all. Returns what came of each; raises nothing for what others do wrong."""
    with letzshop.work():
        shops = [letzshop.shop(code)] if code else letzshop.every("shop", state="active")
        epoch = letzshop.epoch() or ""
    with _LOCK, httpx2.Client(timeout=_SECONDS, follow_redirects=False, trust_env=False) as client:
        feeds = [(shop, language) for shop in shops for language in sorted(shop["feeds"])]
        return [_pull(letzshop, client, epoch, shop, language) for shop, language in feeds]


def _pull(letzshop: Letzshop, client: httpx2.Client, epoch: str, shop: Object, language: str) -> Object:
    url = shop["feeds"][language]
    mark = (epoch, shop["id"], language, url)
    last = shop["pulls"].get(language, {})
    report: Object = {"shop": shop["code"], "language": language, "etag": None, "at": time.time()}
    try:
        status, etag, content = _fetch(client, url, last.get("etag") if mark in letzshop.last_pulls else None)
        report |= {"status": status, "etag": etag}
        if status == 304:
            report = {**last, "status": 304, "at": report["at"]}
        elif status == 200:
            report |= _take(letzshop, shop["code"], language, mark, content)
    except (httpx2.HTTPError, FeedError) as error:
        report |= {"status": "failed", "error": f"{type(error).__name__}: {error}"}
    _keep(letzshop, shop["code"], language, url, report)
    return report


def _fetch(client: httpx2.Client, url: str, etag: str | None) -> tuple[int, str | None, bytes]:
    headers = {"User-Agent": "Letzshop feed (stand-in)", **({"If-None-Match": etag} if etag else {})}
    with client.stream("GET", url, headers=headers) as answer:
        content = bytearray()
        for part in answer.iter_bytes():
            content += part
            if len(content) > _MOST_BYTES:
                raise FeedError("The file is too large.")
        return answer.status_code, answer.headers.get("etag"), bytes(content)


def _keep(letzshop: Letzshop, code: str, language: str, url: str, report: Object) -> None:
    """Note it with the shop, unless its address has changed meanwhile, or the shop is gone."""
    with letzshop.work():
        found = letzshop.by_ref("shop", code)
        if found and found[0]["feeds"].get(language) == url:
            found[0]["pulls"][language] = report
            letzshop.put_shop(found[0])


def _take(letzshop: Letzshop, code: str, language: str, mark: _Mark, content: bytes) -> Object:
    """Store what has changed since the last pull; what is no more in the feed leaves this language."""
    reading = Reading()
    now = {row.sku: row for row in read_feed(content, reading)}
    before = letzshop.last_pulls.get(mark)
    if before is None:
        with letzshop.work():
            before = {one["sku"]: _NOTHING for one in _products_in(letzshop, code, language)}
    changed = (row for sku, row in now.items() if before.get(sku) != row)
    gone = (sku for sku in before if sku not in now)
    counts = {"changed": 0, "gone": 0}
    for rows in _batches(changed):
        with letzshop.work():
            for row in rows:
                counts["changed"] += _store(letzshop, code, language, row)
    for skus in _batches(gone):
        with letzshop.work():
            for sku in skus:
                _withdraw(letzshop, code, language, sku)
                counts["gone"] += 1
    letzshop.last_pulls[mark] = now
    return {"rows": len(now), "bad_rows": reading.bad_rows, "problems": reading.problems, **counts}


_NOTHING = Row("", "", "", 0, "", None, None, None, None)


def _batches(things: Any) -> Iterator[list[Any]]:
    iterator = iter(things)
    while batch := list(islice(iterator, _ROWS_AT_ONCE)):
        yield batch


def _products_in(letzshop: Letzshop, code: str, language: str) -> Iterator[Object]:
    return (one for one in letzshop.every("product", shop=code) if language in one["feeds"])


def _store(letzshop: Letzshop, code: str, language: str, row: Row) -> bool:
    """Whether anything is different from what was known."""
    found = letzshop.by_ref("product", row.sku, code) or letzshop.by_ref("withdrawn", row.sku, code)
    product = found[0] if found else new_product(letzshop, code, row.sku)
    before = {**product}
    told: Mapping[str, Any] = asdict(row)
    product |= {
        name: told[name] for name in ("price_cents", "availability", "gtin", "mpn", "brand", "category")
    }
    product["sale"] = list(row.sale) if row.sale else None
    product["parser"] = parser_of(row.gtin)
    product["name"] = {**product["name"], language: row.title}
    product["description"] = {**product["description"], language: row.description}
    product["feeds"] = sorted({*product["feeds"], language})
    if product == before:
        return False
    _save(letzshop, product)
    return True


def _withdraw(letzshop: Letzshop, code: str, language: str, sku: str) -> None:
    for product in letzshop.by_ref("product", sku, code):
        product["feeds"] = [one for one in product["feeds"] if one != language]
        for texts in (product["name"], product["description"]):
            texts.pop(language, None)
        _save(letzshop, product)


def _save(letzshop: Letzshop, product: Object) -> None:
    product["changed_at"] = time.time()
    kind = "product" if product["feeds"] else "withdrawn"
    state = "live" if product["availability"] != "out_of_stock" else "sold_out"
    letzshop.put(kind, product, shop=product["shop"], state=state, ref=product["sku"])
    path = product["category"]
    if path and letzshop.get("taxon", f"taxon_{path}") is None:
        letzshop.put("taxon", {"id": f"taxon_{path}", "path": path})
