"""Tests of a connection to Letzshop: what is wrong is told from what is right."""

import pytest
from graphql import build_schema

from app.core.config import get_settings
from app.modules.marketplace.adapters.letzshop.schema import findings_of
from app.modules.marketplace.contracts import CheckOutcome, Finding
from app.modules.marketplace.exceptions import (
    KeyRefusedError,
    RoleMissingError,
    SchemaDriftError,
)
from app.modules.marketplace.services.letzshop_service import LETZSHOP
from app.modules.marketplace.tests.letzshop_world import (
    KEY,
    LAMP,
    READER,
    LetzshopWorld,
    box,
    findings,
    line,
    there,
)
from sandbox.letzshop.schema import SDL

__all__ = ["box", "there"]


def test_a_test_tells_what_is_wrong_from_what_is_right(
    there: LetzshopWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    for style in ("errors", "401"):
        there.switch(auth_error_style=style)
        outcomes = [LETZSHOP.try_key(key).outcome for key in (KEY, READER, "of-nobody")]
        assert outcomes == [CheckOutcome.OK, CheckOutcome.MISSING_ROLE, CheckOutcome.BAD_KEY]
        with line(READER) as reader, pytest.raises(RoleMissingError):
            reader.read_open(None)
        with line("of-nobody") as stranger, pytest.raises(KeyRefusedError):
            stranger.read_order("s1")
    monkeypatch.setenv("WIZAMART_SANDBOX_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    assert LETZSHOP.try_key(KEY).outcome is CheckOutcome.UNREACHABLE


def test_names_that_go_missing_are_found_and_named(there: LetzshopWorld) -> None:
    hidden = ["Order.locale", "InventoryUnit.variant", "Vendor.phone"]
    outcome, found = findings(there, hidden_fields=hidden)
    assert outcome is CheckOutcome.SCHEMA_DRIFT
    assert {one.name for one in found if one.kind == "missing"} == set(hidden)
    there.place([LAMP])
    with line() as asked, pytest.raises(SchemaDriftError) as drift:
        asked.read_open(None)
    assert drift.value.http_status == 200
    # What orders do not need is said, and does not stop them.
    outcome, found = findings(there, hidden_fields=["Vendor.phone", "ShipmentConnection.totalCount"])
    assert outcome is CheckOutcome.OK
    assert Finding("missing", "ShipmentConnection.totalCount") in found
    with line() as asked:
        page = asked.read_history(None)
    assert page.total is None
    # A mutation that is gone, and values nobody knows.
    outcome, found = findings(there, hidden_fields=["Mutation.confirmInventoryUnits"])
    assert outcome is CheckOutcome.SCHEMA_DRIFT
    outcome, found = findings(there, hidden_fields=[], extra_states=True)
    assert outcome is CheckOutcome.OK
    assert Finding("extra", "InventoryUnitStateEnum.refunded") in found


def test_what_will_go_and_what_takes_other_inputs_is_named() -> None:
    def found(old: str, new: str) -> tuple[list[tuple[str, str]], bool]:
        assert old in SDL
        findings, is_usable = findings_of(build_schema(SDL.replace(old, new, 1)))
        return [(one.kind, one.name) for one in findings], is_usable

    assert found("locale: String", 'locale: String @deprecated(reason: "x")') == (
        [("deprecated", "Order.locale")],
        True,
    )
    arguments = "shipments(state: ShipmentStateEnum, first: Int, after: String)"
    gone = ("missing", "Query.shipments(first)")
    names, is_usable = found(arguments, arguments.replace("first: Int, ", ""))
    assert gone in names
    assert not is_usable
    for old in ("inventoryUnitId: ID!", "isAvailable: Boolean!"):
        assert found(old, f"un{old}") == ([("missing", "confirm")], False)
