"""Copies of customers' data, and their erasure."""

from uuid import UUID

from celery import shared_task

from app.modules.customers.models.request import DataRequest
from app.modules.customers.services import personal_data_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=600.0)
def export_customer(self: ModuleTask, data_request_id: str) -> dict[str, int]:
    """Make the copy that was asked for; rows by table."""
    with self.get_db() as session:
        return personal_data_service.write_export(session, UUID(data_request_id))


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=600.0)
def erase_customer(self: ModuleTask, data_request_id: str) -> dict[str, int]:
    """Let go of everything personal of the customer, in one transaction; rows by table."""
    with self.get_db() as session:
        request = session.get_one(DataRequest, UUID(data_request_id))
        counts = personal_data_service.erase_customer(session, request.customer_id)
        session.refresh(request)
        request.counts = counts
        return counts


@shared_task(base=ModuleTask, bind=True, scope="platform")
def delete_old_exports(self: ModuleTask) -> dict[str, int]:
    """Remove copies whose time is over; how many."""
    removed = 0
    with self.get_db() as session:
        while gone := personal_data_service.delete_old_exports(session):
            removed += gone
            self.checkpoint(None, removed)
    return {"removed": removed}
