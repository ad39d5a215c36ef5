"""Everything that Letzshop has given a name: the only file to change when a name turns out to be another.

The keys of an answer are ours: where the API's name is another one, the document says ``ours: theirs``, and nothing
else changes. The API is not described in public; what was inferred stands as "inferred".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.modules.marketplace.contracts import Ability, UnitState


@dataclass(frozen=True, slots=True)
class Document:
    """One thing that is asked. ``sample``: variables as they would be sent, to compare with a schema.

    ``operation`` is the name that its text bears, too. ``ability``: what does not work without it; None for what can
    be done without. What is inferred and can be done without is left out of ``least``, which is asked where the API
    does not understand ``text``.
    """

    operation: str
    text: str
    ability: Ability | None
    sample: Mapping[str, Any] = field(default_factory=dict)

    @property
    def least(self) -> "Document":
        """The same without what can be done without."""
        text = self.text
        for part in (_PAGE_INFO, _SHOP, _TOTAL):
            text = text.replace(part, "")
        return Document(self.operation, text, self.ability, self.sample)


class ShipmentState(StrEnum):
    """The states that can be asked for; ``declined`` is none of them, although units may be."""

    UNCONFIRMED = "unconfirmed"
    CONFIRMED = "confirmed"


UNIT_STATES = {
    "unconfirmed": UnitState.OPEN,
    "confirmed_available": UnitState.AVAILABLE,
    "confirmed_unavailable": UnitState.UNAVAILABLE,
    "returned": UnitState.RETURNED,
}
PARSER_LENGTHS = {"gtin14": 14, "gtin13": 13, "gtin12": 12, "gtin8": 8, "isbn13": 13, "isbn10": 10}
# Field -> the values that are known; a schema that has others is worth a note.
ENUM_VALUES: Mapping[str, frozenset[str]] = {
    "Shipment.state": frozenset(ShipmentState),
    "InventoryUnit.state": frozenset(UNIT_STATES),
    "TradeId.parser": frozenset(PARSER_LENGTHS),
}

# What the API says of a key that is unknown, or that may not do this: codes (inferred), else words of the message.
BAD_KEY_CODES = frozenset({"unauthenticated", "unauthorized", "invalid_api_key", "invalid_token"})
ROLE_CODES = frozenset({"forbidden", "access_denied", "insufficient_role", "not_authorized"})
BUSY_CODES = frozenset({"throttled", "rate_limited", "too_many_requests", "max_cost_exceeded"})
BAD_KEY_WORDS = ("api key", "api token", "access token", "unauthenticated", "not authenticated", "sign in")
ROLE_WORDS = ("role", "permission", "not allowed", "not authorized", "unauthorized", "forbidden", "denied")

_ADDRESS = "firstName lastName company streetName streetNumber city zipCode phone country { name iso }"
# Never select `tracking` here: the server fails on it. What we have set is known to us.
_PAGE_INFO = "pageInfo { hasNextPage endCursor }"  # inferred, as `first` and `after` are
_SHOP = "vendor { slug }"  # inferred
_TOTAL = "totalCount"  # inferred
_SHIPMENT = f"""
  id number state {_SHOP}
  order {{
    id number email total completedAt locale
    shipAddress {{ {_ADDRESS} }}
    billAddress {{ {_ADDRESS} }}
  }}
  inventoryUnits {{
    id state
    variant {{
      id sku mpn price
      tradeId {{ number parser }}
      product {{ name {{ en fr de }} _brand {{ ... on Brand {{ name }} }} }}
    }}
  }}
"""


def _shipments(state: ShipmentState) -> Document:
    # The state is written out: so that the name of its type, which is inferred, is not needed.
    text = f"""query shipments($first: Int, $after: String) {{
  shipments(state: {state}, first: $first, after: $after) {{ nodes {{ {_SHIPMENT} }} {_PAGE_INFO} }}
}}"""
    return Document("shipments", text, Ability.ORDERS, page_variables(1, "cursor"))


def page_variables(first: int, after: str | None) -> dict[str, Any]:
    """The variables of every document that gives pages."""
    return {"first": first, "after": after}


def decision_variables(decisions: Mapping[str, bool], key: str) -> dict[str, Any]:
    """The variables of CONFIRM (inferred, but for ``isAvailable``)."""
    units = [{"inventoryUnitId": unit, "isAvailable": is_there} for unit, is_there in decisions.items()]
    return {"input": {"inventoryUnits": units, "clientMutationId": key}}


def tracking_variables(shipment_id: str, number: str, provider: str, key: str) -> dict[str, Any]:
    """The variables of TRACK (inferred)."""
    return {
        "input": {"shipmentId": shipment_id, "code": number, "provider": provider, "clientMutationId": key}
    }


def return_variables(unit_ids: Sequence[str], key: str) -> dict[str, Any]:
    """The variables of TAKE_BACK (inferred)."""
    return {"input": {"inventoryUnitIds": list(unit_ids), "clientMutationId": key}}


SHIPMENTS = {state: _shipments(state) for state in ShipmentState}
SHIPMENT = Document(
    "shipment",  # inferred
    f"query shipment($id: ID!) {{ shipment(id: $id) {{ {_SHIPMENT} }} }}",
    Ability.ORDERS,
    {"id": "shipment"},
)
TOTALS = Document(
    "totals",  # inferred; only the progress of an import needs it
    f"""query totals {{
  unconfirmed: shipments(state: unconfirmed, first: 1) {{ {_TOTAL} }}
  confirmed: shipments(state: confirmed, first: 1) {{ {_TOTAL} }}
}}""",
    None,
)
_LATEST = f"{{ nodes {{ {_SHOP} }} }}"
SHOPS = Document(
    "shops",  # inferred; only a key that may act for several shops needs it
    f"""query shops {{
  unconfirmed: shipments(state: unconfirmed, first: 100) {_LATEST}
  confirmed: shipments(state: confirmed, first: 100) {_LATEST}
}}""",
    None,
)
PROBE = Document(
    "probe",
    "query probe { shipments(state: unconfirmed, first: 1) { nodes { id } } }",
    Ability.ORDERS,
)
CONFIRM = Document(
    "confirm",
    """mutation confirm($input: ConfirmInventoryUnitsInput!) {
  result: confirmInventoryUnits(input: $input) { errors { id code message } }
}""",
    Ability.DECISIONS,
    decision_variables({"unit": True}, "key"),
)
TRACK = Document(
    "track",
    """mutation track($input: SetShipmentTrackingInput!) {
  result: setShipmentTracking(input: $input) { errors { id code message } }
}""",
    Ability.TRACKING,
    tracking_variables("shipment", "number", "provider", "key"),
)
TAKE_BACK = Document(
    "return",
    """mutation return($input: ReturnInventoryUnitsInput!) {
  result: returnInventoryUnits(input: $input) { errors { id code message } }
}""",
    Ability.RETURNS,
    return_variables(["unit"], "key"),
)
PRODUCTS = Document(
    "listings",
    f"""query listings($first: Int, $after: String) {{
  products(first: $first, after: $after) {{
    nodes {{
      id name {{ en fr de }} {_SHOP}
      variants {{ id sku price tradeId {{ number parser }} }}
    }}
    {_PAGE_INFO}
  }}
}}""",
    Ability.LISTINGS,
    page_variables(1, "cursor"),
)
VENDORS = Document(
    "vendors",
    f"""query vendors($first: Int, $after: String) {{
  vendors(first: $first, after: $after) {{
    nodes {{
      id slug name active companyName legalName email phone homepage
      street streetNumber zipCode city country {{ name iso }}
    }}
    {_PAGE_INFO}
    {_TOTAL}
  }}
}}""",
    Ability.DIRECTORY,
    page_variables(1, "cursor"),
)
DOCUMENTS: tuple[Document, ...] = (
    *SHIPMENTS.values(),
    *(SHIPMENT, TOTALS, SHOPS, PROBE, CONFIRM, TRACK, TAKE_BACK, PRODUCTS, VENDORS),
)
