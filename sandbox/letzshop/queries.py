"""What can be asked and told: the fields of Query and Mutation."""

from collections.abc import Callable, Sequence
from typing import Any

from graphql import GraphQLError

from sandbox.letzshop import units
from sandbox.letzshop.paging import Listed, page
from sandbox.letzshop.settings import Settings
from sandbox.letzshop.shops import MANAGER
from sandbox.letzshop.state import Letzshop
from sandbox.letzshop.views import Views
from sandbox.store import Object

UNAUTHENTICATED, FORBIDDEN = "unauthenticated", "forbidden"
_BY = "api"


class Root:
    """The root of one request. ``key``: whose request it is; None for somebody without a key."""

    def __init__(self, letzshop: Letzshop, switches: Settings, key: Object | None) -> None:
        self._letzshop = letzshop
        self._switches = switches
        self._key = key
        self._views = Views(letzshop, switches)

    def shipments(
        self, _info: Any, state: str | None = None, first: int | None = None, after: str | None = None
    ) -> Object:
        shops = self._shops()
        if state in ("shipped", "canceled", "declined"):  # where they exist they are made from the units
            return self._chosen_shipments(state, shops)
        return self._page(Listed("shipment", shops, state), (first, after), self._views.shipment)

    def _chosen_shipments(self, state: str, shops: Sequence[str]) -> Object:
        rows = self._letzshop.rows("shipment", shops=shops, state="confirmed")
        nodes = [shown for _, one in rows if (shown := self._views.shipment(one))["state"] == state]
        return {
            "nodes": nodes,
            "pageInfo": {"hasNextPage": False, "hasPreviousPage": False},
            "totalCount": len(nodes),
        }

    def shipment(self, _info: Any, id: str) -> Object | None:  # noqa: A002 - the API's name
        shops = self._shops()
        found = self._letzshop.get("shipment", id)
        return self._views.shipment(found) if found and found["shop"] in shops else None

    def products(self, _info: Any, first: int | None = None, after: str | None = None) -> Object:
        return self._page(Listed("product"), (first, after), self._views.product)

    def product(
        self,
        _info: Any,
        id: str | None = None,  # noqa: A002 - the API's name
        permalink: str | None = None,
    ) -> Object | None:
        wanted = id or (permalink or "").rpartition("/")[2]
        found = self._letzshop.get("product", f"v{wanted[1:]}")
        return self._views.product(found) if found else None

    def vendors(self, _info: Any, first: int | None = None, after: str | None = None) -> Object:
        return self._page(Listed("shop"), (first, after), self._views.vendor)

    def vendor(self, _info: Any, slug: str) -> Object | None:
        return next(
            (self._views.vendor(one) for one in self._letzshop.every("shop") if one["slug"] == slug), None
        )

    def taxons(self, _info: Any, first: int | None = None, after: str | None = None) -> Object:
        return self._page(Listed("taxon"), (first, after), lambda taxon: self._views.taxon(taxon["path"]))

    def confirmInventoryUnits(self, _info: Any, input: Object) -> Object:  # noqa: A002 - the API's names
        asked = [(one["inventoryUnitId"], one["isAvailable"]) for one in input["inventoryUnits"]]
        return self._told(input, units.decide(self._letzshop, asked, self._shops(), _BY))

    def returnInventoryUnits(self, _info: Any, input: Object) -> Object:  # noqa: A002 - the API's names
        return self._told(
            input, units.take_back(self._letzshop, input["inventoryUnitIds"], self._shops(), _BY)
        )

    def setShipmentTracking(self, _info: Any, input: Object) -> Object:  # noqa: A002 - the API's names
        said = (input["shipmentId"], input["code"], input["provider"])
        shipment, errors = units.track(self._letzshop, *said, self._shops(), _BY)
        shown = self._views.shipment(shipment) if shipment else None
        return {"shipment": shown, "errors": errors, "clientMutationId": input.get("clientMutationId")}

    def _told(self, asked: Object, outcome: units.Outcome) -> Object:
        return {
            "inventoryUnits": [self._views.unit(unit) for _, unit in outcome.units],
            "errors": outcome.errors,
            "clientMutationId": asked.get("clientMutationId"),
        }

    def _shops(self) -> list[str]:
        """Those whose orders the key may see. Raises GraphQLError."""
        if self._key is None:
            raise refusal(UNAUTHENTICATED, "You need to be signed in to do that.")
        if self._key["role"] != MANAGER:
            raise refusal(FORBIDDEN, "You are not authorized to access this page.")
        shops: list[str] = self._key["shops"]
        return shops

    def _page(
        self, listed: Listed, asked: tuple[int | None, str | None], show: Callable[[Object], Object]
    ) -> Object:
        return page(self._letzshop, self._switches, listed, asked, show)


def refusal(code: str, message: str) -> GraphQLError:
    """Who asks may not."""
    return GraphQLError(message, extensions={"code": code})
