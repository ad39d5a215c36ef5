"""What can become of the pieces of a shipment: yes, no, back; and how the parcel can be followed."""

from collections.abc import Iterable, Sequence

from sandbox.letzshop.state import Letzshop, NotThereError
from sandbox.store import Object

AVAILABLE, UNAVAILABLE, OPEN, RETURNED = (
    "confirmed_available",
    "confirmed_unavailable",
    "unconfirmed",
    "returned",
)


class Outcome:
    """What became of each unit of one call; each for itself."""

    def __init__(self) -> None:
        self.units: list[tuple[Object, Object]] = []  # shipment and unit
        self.errors: list[Object] = []

    def refuse(self, object_id: str, code: str, message: str) -> None:
        self.errors.append({"id": object_id, "code": code, "message": message})


def decide(
    letzshop: Letzshop, decisions: Iterable[tuple[str, bool]], shops: Sequence[str], by: str
) -> Outcome:
    """Say yes or no to units of these shops. The same answer again changes nothing and is fine."""
    outcome = Outcome()
    for unit_id, is_available in decisions:
        wanted = AVAILABLE if is_available else UNAVAILABLE
        found = _find(letzshop, unit_id, shops, outcome)
        if found is None:
            continue
        shipment, unit = found
        if unit["state"] not in (OPEN, wanted):
            outcome.refuse(unit_id, "invalid_state", f"The unit is {unit['state']} already.")
            continue
        _move(letzshop, shipment, unit, wanted, by)
        outcome.units.append((shipment, unit))
    return outcome


def take_back(letzshop: Letzshop, unit_ids: Iterable[str], shops: Sequence[str], by: str) -> Outcome:
    """Units that were sent and came back. Once more is fine."""
    outcome = Outcome()
    for unit_id in unit_ids:
        found = _find(letzshop, unit_id, shops, outcome)
        if found is None:
            continue
        shipment, unit = found
        if unit["state"] not in (AVAILABLE, RETURNED):
            outcome.refuse(unit_id, "invalid_state", f"A unit that is {unit['state']} cannot come back.")
            continue
        _move(letzshop, shipment, unit, RETURNED, by)
        outcome.units.append((shipment, unit))
    return outcome


def track(
    letzshop: Letzshop, shipment_id: str, code: str, provider: str, shops: Sequence[str], by: str
) -> tuple[Object | None, list[Object]]:
    """Say how the parcel can be followed; again to say something else. Returns the shipment, or what is wrong."""
    outcome = Outcome()
    shipment = letzshop.get("shipment", shipment_id)
    if shipment is None or shipment["shop"] not in shops:
        outcome.refuse(shipment_id, "not_found", "There is no such shipment.")
        return None, outcome.errors
    if not code.strip() or not provider.strip():
        outcome.refuse(shipment_id, "invalid", "Say code and provider.")
    elif all(unit["state"] in (OPEN, UNAVAILABLE) for unit in shipment["units"]):
        outcome.refuse(shipment_id, "invalid_state", "Nothing of the shipment has been confirmed.")
    if outcome.errors:
        return None, outcome.errors
    told = {"code": code, "provider": provider}
    is_new = shipment["tracking"] != told
    shipment["tracking"] = told
    letzshop.put_shipment(shipment)
    letzshop.note("tracking_set", shipment, by=by, is_new=is_new, **told)
    return shipment, []


def shipment_of(letzshop: Letzshop, shipment_id: str) -> Object:
    """Raises NotThereError."""
    shipment = letzshop.get("shipment", shipment_id)
    if shipment is None:
        raise NotThereError(f"There is no shipment {shipment_id}.")
    return shipment


def _find(
    letzshop: Letzshop, unit_id: str, shops: Sequence[str], outcome: Outcome
) -> tuple[Object, Object] | None:
    shipment = letzshop.shipment_of(unit_id)
    if shipment is None or shipment["shop"] not in shops:
        outcome.refuse(unit_id, "not_found", "There is no such unit.")
        return None
    return shipment, next(unit for unit in shipment["units"] if unit["id"] == unit_id)


def _move(letzshop: Letzshop, shipment: Object, unit: Object, state: str, by: str) -> None:
    is_new = unit["state"] != state
    unit["state"] = state
    letzshop.put_shipment(shipment)
    letzshop.note("unit_changed", shipment, unit=unit["id"], state=state, by=by, is_new=is_new)
