"""A place to try queries. Like the API, it takes nobody's word for granted: without a key there is public data only."""

import json

from sandbox.letzshop import endpoint
from sandbox.letzshop.pages.form import Form, first
from sandbox.letzshop.state import Letzshop
from sandbox.pages.shown import Page

_EXAMPLE = """{
  shipments(state: unconfirmed, first: 5) {
    nodes {
      id number state
      order { number email total completedAt locale }
      inventoryUnits { id state variant { sku price tradeId { number parser } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}"""


def show(_letzshop: Letzshop, _id: str, form: Form) -> Page:
    return _page(first(form, "key", "lz_test_moselle_manager"), first(form, "query", _EXAMPLE))


def ask(letzshop: Letzshop, _id: str, form: Form) -> Page:
    key, query, variables = (first(form, name) for name in ("key", "query", "variables"))
    try:
        body = json.dumps({"query": query, "variables": json.loads(variables or "{}")})
        value = endpoint.ask(letzshop, endpoint.read(body.encode(), f"Bearer {key}" if key else None))
    except ValueError as error:
        return _page(key, query, variables, str(error))
    return _page(key, query, variables, json.dumps(value, indent=2, ensure_ascii=False))


def _page(key: str, query: str, variables: str = "", answer: str = "") -> Page:
    return Page("playground.html", {"key": key, "query": query, "variables": variables, "answer": answer})
