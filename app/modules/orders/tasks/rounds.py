"""Rounds over the vendors whose orders wait for something."""

from uuid import UUID

from celery import shared_task

from app.modules.orders.services import arrival_service, exception_service, hold_service
from app.modules.task_base import ModuleTask
from app.tasks.dispatcher import dispatch

_HERE = "app.modules.orders.tasks.rounds"


@shared_task(base=ModuleTask, bind=True, scope="platform")
def retry_exceptions(self: ModuleTask) -> dict[str, int]:
    """Look again at lines that wait for a product or stock, by a job for each vendor; returns how many were started."""
    with self.get_db() as session:
        vendors = exception_service.vendors_with_exceptions(session)
        for vendor_id in vendors:
            dispatch(
                session,
                f"{_HERE}.retry_vendor_exceptions",
                vendor_id=vendor_id,
                parent_id=self.job.id,
                unique_key=f"orders.retry:{vendor_id}",
            )
        return {"vendors": len(vendors)}


@shared_task(base=ModuleTask, bind=True, scope="vendor", in_read_only=False)
def retry_vendor_exceptions(self: ModuleTask) -> dict[str, int]:
    """Look again at a vendor's lines that wait; returns how many were freed."""
    with self.get_db() as session:
        return {"freed": exception_service.retry_exceptions(session)}


@shared_task(base=ModuleTask, bind=True, scope="vendor", in_read_only=False)
def retry_products(self: ModuleTask, product_ids: str) -> dict[str, int]:
    """Look again at lines that wait for products (ids divided by commas); returns how many were freed."""
    with self.get_db() as session:
        ids = [UUID(one) for one in product_ids.split(",")]
        return {"freed": arrival_service.retry_products(session, ids)}


@shared_task(base=ModuleTask, bind=True, scope="platform")
def free_held_orders(self: ModuleTask) -> dict[str, int]:
    """Free orders that a plan holds, by a job for each vendor; returns how many were started."""
    with self.get_db() as session:
        vendors = hold_service.vendors_with_held(session)
        for vendor_id in vendors:
            dispatch(
                session,
                f"{_HERE}.free_vendor_orders",
                vendor_id=vendor_id,
                parent_id=self.job.id,
                unique_key=f"orders.free:{vendor_id}",
            )
        return {"vendors": len(vendors)}


@shared_task(base=ModuleTask, bind=True, scope="vendor", in_read_only=False)
def free_vendor_orders(self: ModuleTask, vendor_id: str) -> dict[str, int]:
    """Free a vendor's orders as far as the plan has room; returns how many."""
    with self.get_db() as session:
        return {"freed": hold_service.free_held(session, UUID(vendor_id))}
