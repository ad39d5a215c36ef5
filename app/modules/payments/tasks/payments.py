"""Telling providers about payments. Each call has an idempotency key of its own, so a worker that dies lets it be tried
again."""

from typing import Any
from uuid import UUID

from celery import shared_task

from app.modules.payments.services import payment_work_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="vendor", max_attempts=8, time_limit_seconds=180.0)
def carry_out(
    self: ModuleTask, payment_id: str, act: str = "confirm", amount_cents: int | None = None
) -> dict[str, Any]:
    """Start, confirm, capture or cancel one payment at its provider."""
    key = UUID(payment_id)
    with self.get_db() as session:
        work = payment_work_service.prepare(session, key, act, amount_cents)
        if work is None:
            return {"called": False}
        self.checkpoint(None, 0, 1)  # no transaction is open during the call
        answer = payment_work_service.carry_out(work)
        state = payment_work_service.record(session, key, answer)
        if answer.refusal is not None:
            self.checkpoint(None, 0, 1)
            raise answer.refusal
    return {"called": True, "state": state}


@shared_task(base=ModuleTask, bind=True, scope="vendor", max_attempts=8, time_limit_seconds=180.0)
def carry_out_refund(self: ModuleTask, refund_id: str) -> dict[str, Any]:
    """Give the money of one refund back at its provider."""
    key = UUID(refund_id)
    with self.get_db() as session:
        call = payment_work_service.prepare_refund(session, key)
        if call is None:
            return {"called": False}
        self.checkpoint(None, 0, 1)  # no transaction is open during the call
        state = payment_work_service.record_refund(session, key, call())
    return {"called": True, "state": state}
