"""Lines that no product, or too little of one, is there for."""

from dataclasses import replace
from typing import Any

import pytest

from app.modules.catalog.events import ProductUpdated
from app.modules.events import publish
from app.modules.orders.contracts import NewLine, PlacedOrder
from app.modules.orders.exceptions import ExceptionNotFoundError, OrderStateError, PendingExceptionsError
from app.modules.orders.models.exception import ProductMatch
from app.modules.orders.services.again_service import accept_proposal
from app.modules.orders.services.decide_service import confirm_lines, decline_lines
from app.modules.orders.services.exception_service import (
    ignore_exception,
    resolve_exception,
    retry_exceptions,
)
from app.modules.orders.services.shipment_service import ship
from app.modules.orders.services.undo_service import undo_answer
from app.modules.orders.tests.conftest import BY, LIVE, Desk
from app.testing.working import work

PEN, BOOK, OTHER = "4006381333931", "9782070368228", "05901234123457"


def order_of(desk: Desk, gtin: str | None, sku: str | None = None, **given: Any) -> PlacedOrder:
    line = NewLine(None, sku, gtin, "Something", 1, 1000)
    return desk.place(line, when_short="exception", channel="letzshop", **given)


def exceptions(desk: Desk, placed: PlacedOrder) -> list[tuple[str, str]]:
    return [(one.kind, one.status) for one in desk.view(placed.order_id).exceptions]


def test_one_fix_that_is_remembered_frees_all_and_never_comes_back(desk: Desk) -> None:
    waiting = [order_of(desk, PEN) for _ in range(4)]
    assert exceptions(desk, waiting[0]) == [("product_not_found", "pending")]
    with pytest.raises(PendingExceptionsError), desk.session() as session:
        confirm_lines(session, waiting[0].order_id, None, BY)
    book = desk.product("BOOK", tax_class="super_reduced")
    desk.stock("BOOK", 10)
    chosen = desk.view(waiting[2].order_id).exceptions[0]
    with desk.session() as session:
        assert resolve_exception(session, chosen.id, book, BY, is_remembered=True) == 4
        with pytest.raises(ExceptionNotFoundError):
            resolve_exception(session, chosen.id, book, BY)
    view = desk.view(waiting[0].order_id)
    assert (view.lines[0].product_id, view.lines[0].tax_rate_bp, view.order.vat_cents) == (book, 300, 29)
    assert desk.level("BOOK") == (10, 4)
    with desk.session() as session:
        confirm_lines(session, waiting[0].order_id, None, BY)
        assert session.query(ProductMatch.value).all() == [("04006381333931",)]
    assert exceptions(desk, order_of(desk, PEN)) == []
    assert desk.level("BOOK") == (10, 5)


def test_what_is_not_certain_is_never_picked(desk: Desk) -> None:
    desk.product("ONE", "0" + PEN)
    desk.product("TWO", "0" + PEN)
    desk.product("RIGHT", OTHER)
    twice = order_of(desk, PEN)
    wrong = order_of(desk, BOOK, sku="RIGHT")
    assert exceptions(desk, twice) == [("duplicate_gtin", "pending")]
    assert exceptions(desk, wrong) == [("gtin_mismatch", "pending")]
    candidates = desk.view(twice.order_id).exceptions[0].candidates
    assert [(one["sku"], one["reason"]) for one in candidates] == [("ONE", "gtin"), ("TWO", "gtin")]
    assert exceptions(desk, order_of(desk, None, sku="RIGHT")) == []
    assert exceptions(desk, order_of(desk, PEN, sku="ONE")) == []  # the SKU says which
    assert exceptions(desk, order_of(desk, "2001234567893")) == [("product_not_found", "pending")]
    with desk.session() as session:
        assert retry_exceptions(session) == 0


def test_a_product_that_comes_later_frees_the_line_by_itself(desk: Desk) -> None:
    waiting = order_of(desk, PEN)
    product_id = desk.product("PEN", "0" + PEN)
    with desk.session() as session:
        event = ProductUpdated(product_id, "PEN", 1)
        publish(session, event, vendor_id=desk.vendor_id, aggregate=str(product_id))
    work()
    assert exceptions(desk, waiting) == [("product_not_found", "resolved")]
    last = desk.view(waiting.order_id).history[-1]
    assert (last.kind, last.source) == ("exception_resolved", "task")


def test_an_ignored_line_ships_without_stock_and_a_declined_one_does_not_wait(desk: Desk) -> None:
    desk.product("A")
    desk.stock("A", 1)
    placed = desk.place(desk.line("A", 2), when_short="exception")
    known = desk.place(NewLine(None, None, BOOK, "Book", 1, 1000), desk.line("A"), when_short="exception")
    with desk.session() as session:
        ignore_exception(session, desk.view(placed.order_id).exceptions[0].id, BY)
        confirm_lines(session, placed.order_id, None, BY)
        ship(session, placed.order_id, None, [], BY)
        decline_lines(session, known.order_id, [desk.view(known.order_id).lines[0].id], "Unknown", BY)
        confirm_lines(session, known.order_id, None, BY)
    assert desk.level("A") == (1, 1)  # only what the second order holds
    assert desk.view(known.order_id).order.pending_exceptions == 0


def test_stock_that_comes_later_frees_the_line(desk: Desk) -> None:
    desk.product("A")
    desk.stock("A", 0)
    waiting = desk.place(desk.line("A", 2), when_short="exception")
    assert desk.view(waiting.order_id).exceptions[0].available == 0
    desk.rows("UPDATE inventory SET on_hand = 2 WHERE product_id = :id", id=desk.goods["A"])
    with desk.session() as session:
        assert retry_exceptions(session) == 1
    assert (exceptions(desk, waiting), desk.level("A")) == ([("out_of_stock", "resolved")], (2, 2))


def test_an_answer_is_taken_back_with_stock_and_memory_and_only_people_answer_again(desk: Desk) -> None:
    waiting = order_of(desk, PEN)
    before = desk.view(waiting.order_id)
    book = desk.product("BOOK", tax_class="super_reduced")
    desk.stock("BOOK", 1)
    key = before.exceptions[0].id
    with desk.session() as session:
        assert resolve_exception(session, key, book, BY, is_remembered=True) == 1
        confirm_lines(session, waiting.order_id, None, BY)
    with desk.session() as session:
        undo_answer(session, key, BY)
    view = desk.view(waiting.order_id)
    assert exceptions(desk, waiting) == [("product_not_found", "pending")]
    assert (view.lines[0].product_id, view.lines[0].sku, view.lines[0].tax_class) == (None, None, None)
    assert (view.order.vat_cents, view.order.pending_exceptions) == (before.order.vat_cents, 1)
    assert desk.level("BOOK") == (1, 0)
    with pytest.raises(PendingExceptionsError), desk.session() as session:
        ship(session, waiting.order_id, None, [], BY)
    desk.product("PEN", "0" + PEN)
    with desk.session() as session:
        assert session.query(ProductMatch).count() == 0
        assert retry_exceptions(session) == 0  # by itself nothing answers it a second time
        assert resolve_exception(session, key, desk.goods["PEN"], BY) == 1
        ship(session, waiting.order_id, None, [], BY)
    with pytest.raises(OrderStateError), desk.session() as session:
        undo_answer(session, key, BY)


def test_undoing_an_answer_undoes_what_came_of_it(desk: Desk) -> None:
    waiting = order_of(desk, PEN)
    scarce = desk.product("SCARCE")
    desk.stock("SCARCE", 0)
    key = desk.view(waiting.order_id).exceptions[0].id
    with desk.session() as session:
        resolve_exception(session, key, scarce, BY)
        undo_answer(session, key, BY)
    assert exceptions(desk, waiting) == [("product_not_found", "pending"), ("out_of_stock", "resolved")]
    with desk.session() as session:
        ignore_exception(session, key, BY)
        undo_answer(session, key, BY)
    assert desk.view(waiting.order_id).order.pending_exceptions == 1


def test_resolving_to_what_is_short_waits_for_stock(desk: Desk) -> None:
    waiting = order_of(desk, PEN)
    scarce = desk.product("SCARCE")
    desk.stock("SCARCE", 0)
    with desk.session() as session:
        assert resolve_exception(session, desk.view(waiting.order_id).exceptions[0].id, scarce, BY) == 0
    assert exceptions(desk, waiting) == [("product_not_found", "resolved"), ("out_of_stock", "pending")]
    assert desk.view(waiting.order_id).order.pending_exceptions == 1


def test_the_same_order_of_a_channel_is_placed_once(desk: Desk) -> None:
    desk.product("A")
    raw = {"state": "new"}
    first = desk.place(desk.line("A"), channel="letzshop", external_id="L-1", raw=raw)
    again = desk.place(desk.line("A"), channel="letzshop", external_id="L-1", raw=raw)
    assert (again.order_id, again.number, first.is_new, again.is_new) == (
        *(first.order_id, first.number),
        *(True, False),
    )
    assert desk.place(desk.line("A"), channel="other", external_id="L-1").is_new
    assert len(desk.view(first.order_id).payloads) == 1


def test_a_change_by_the_channel_is_applied_before_confirmation_and_proposed_after(desk: Desk) -> None:
    desk.product("A")

    def said(line1: str) -> PlacedOrder:
        moved = replace(LIVE, line1=line1)
        return desk.place(
            desk.line("A"), channel="letzshop", external_id="L-2", raw={"at": line1}, shipping_address=moved
        )

    placed = said("1, rue A")
    said("2, rue B")
    assert desk.view(placed.order_id).shipping_address == replace(LIVE, line1="2, rue B")
    with desk.session() as session:
        confirm_lines(session, placed.order_id, None, BY)
    said("3, rue C")
    said("4, rue D")
    view = desk.view(placed.order_id)
    assert view.shipping_address == replace(LIVE, line1="2, rue B")
    (proposal,) = view.proposals
    assert proposal.changes["shipping_address"][1]["line1"] == "4, rue D"
    with desk.session() as session:
        accept_proposal(session, proposal.id, BY)
    view = desk.view(placed.order_id)
    assert view.shipping_address == replace(LIVE, line1="4, rue D")
    assert [one.revision for one in view.payloads] == [1, 2, 3, 4]
