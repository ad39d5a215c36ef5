"""The vendors: opened with a trial, and asking for what their plans say by the doors that pages use."""

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
from sqlalchemy.orm import Session

from app.core import clock
from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.core.errors import AppError
from app.modules import state
from app.modules.billing import facade
from app.modules.billing.contracts import BY_TASK, RequestInfo
from app.modules.tenancy.facade import create_company, create_vendor, list_platforms
from app.testing.billing.plan import Act, Life

_BACK = "https://shop.example/plan"
_FORM = {"exp": "12/49", "cvc": "123", "name": "Anna Weber", "email": "anna@example.lu"}
_IN_ONE = 50  # vendors opened by one transaction
_FOLLOW_SECONDS = 1.1  # until other processes have seen that the clock was moved


@dataclass(slots=True)
class Shops:
    """``ids`` by number; ``outcomes`` counts what came of their acts."""

    platform_id: UUID
    company_id: UUID
    addons: dict[str, UUID]
    ids: dict[int, UUID] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)

    def open(self, lives: Sequence[Life], year: datetime) -> None:
        """Open shops, each at its own moment; its trial begins then."""
        for first in range(0, len(lives), _IN_ONE):
            with standing_clock(year), unit_of_work(SYSTEM) as session:
                for life in lives[first : first + _IN_ONE]:
                    _be_at(year + timedelta(days=life.start_day))
                    self._open(session, life)

    def _open(self, session: Session, life: Life) -> None:
        vendor_id = create_vendor(
            session,
            company_id=self.company_id,
            platform_ids=[self.platform_id],
            code=life.code,
            name=f"Proof {life.number}",
        )
        facade.start_trial(session, vendor_id, self.platform_id, life.tier)
        self.ids[life.number] = vendor_id

    def ask(self, acts: Iterable[tuple[Life, Act]], moment: datetime) -> list[tuple[Life, Act, UUID]]:
        """Let vendors ask for what they plan, all at one moment; those whose request waits for an answer."""
        asked = []
        for life, act in acts:
            with standing_clock(moment):
                request_id = self._ask(life, act)
            if request_id is not None:
                asked.append((life, act, request_id))
        return asked

    def _ask(self, life: Life, act: Act) -> UUID | None:
        vendor_id = self.ids[life.number]
        try:
            with unit_of_work(TenantScope(vendor_id)) as session:
                found = self._said(session, vendor_id, act)
        except AppError as error:
            self.outcomes[f"{act.kind}: {error.code}"] += 1
            return None
        if found is None:
            self.outcomes[f"{act.kind}: at once"] += 1
        return found

    def _said(self, session: Session, vendor_id: UUID, act: Act) -> UUID | None:
        values = act.values
        match act.kind:
            case "subscribe":
                return facade.ask_checkout(
                    session, vendor_id, BY_TASK, values["tier"], values["interval"], _BACK
                )
            case "card":
                return facade.ask_card(session, vendor_id, BY_TASK, _BACK)
            case "change":
                return facade.ask_change(session, vendor_id, BY_TASK, values["tier"], values["interval"])
            case "addon":
                key = self.addons[values["addon"]]
                return facade.ask_addon(session, vendor_id, BY_TASK, key, values["quantity"])
            case "cancel":
                return facade.ask_cancel(session, vendor_id, BY_TASK, values["reason"])
            case "reactivate":
                return facade.ask_reactivate(session, vendor_id, BY_TASK)
        return self._pay(session, vendor_id)

    def _pay(self, session: Session, vendor_id: UUID) -> UUID | None:
        open_ones = [
            invoice for invoice in facade.list_invoices(session, vendor_id) if invoice.status == "open"
        ]
        if not open_ones:
            return None
        return facade.ask_payment(session, vendor_id, BY_TASK, open_ones[-1].id)

    def follow(self, asked: Sequence[tuple[Life, Act, UUID]], browser: httpx2.Client) -> None:
        """Go where the answers lead: fill in Stripe's page, and come back, or not."""
        for life, act, request_id in asked:
            vendor_id = self.ids[life.number]
            with unit_of_work(TenantScope(vendor_id)) as session:
                answer = facade.find_request(session, vendor_id, request_id)
            assert answer is not None
            self.outcomes[f"{act.kind}: {_words(answer)}"] += 1
            if "card" in act.values and answer.result_url:
                self._pay_at(browser, answer.result_url, act.values)
                if act.values["returns"]:
                    self._come_back(vendor_id)

    def _pay_at(self, browser: httpx2.Client, url: str, values: dict[str, Any]) -> None:
        status = browser.post(url, data={**_FORM, "number": values["card"]}).status_code
        self.outcomes[f"page: {status}"] += 1

    def _come_back(self, vendor_id: UUID) -> None:
        """The page that Stripe leads back to has everything read again."""
        with unit_of_work(TenantScope(vendor_id)) as session:
            facade.ask_sync(session, vendor_id, BY_TASK)


def open_house() -> Shops:
    """Before the first shop opens: the platform, a company, what is on sale, and that at Stripe."""
    with unit_of_work(SYSTEM) as session:
        platform_id = next(one.id for one in list_platforms(session) if one.code == "demo")
        company_id = create_company(session, name="Proof", contact_email="proof@example.lu")
        addons = {one.code: one.id for one in facade.list_addons(session, platform_id)}
        for tier in facade.list_tiers(session, platform_id):
            facade.ask_tier_sync(session, tier.id, BY_TASK)
        for addon_id in addons.values():
            facade.ask_addon_sync(session, addon_id, BY_TASK)
    return Shops(platform_id, company_id, addons)


def set_clock(moment: datetime) -> None:
    """Business time for everybody; returns when everybody knows."""
    with unit_of_work(SYSTEM) as session:
        state.set_clock_offset(session, moment - clock.system_now())
    state.forget_snapshot()
    state.refresh()
    time.sleep(_FOLLOW_SECONDS)


@contextmanager
def standing_clock(moment: datetime) -> Iterator[None]:
    """Within the block it is this very second in this process, however long it takes."""
    with state.one_view():
        _be_at(moment)
        yield
    state.forget_snapshot()
    state.refresh()


def _be_at(moment: datetime) -> None:
    clock.set_offset(moment + timedelta(milliseconds=200) - clock.system_now())


def _words(answer: RequestInfo) -> str:
    return f"{answer.state} {answer.error}" if answer.error else answer.state
