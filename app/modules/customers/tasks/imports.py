"""Files of customers: taking a long one over, and throwing away what nobody has taken over."""

from uuid import UUID

from celery import shared_task

from app.modules.customers.services import import_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=1800.0)
def apply_import(self: ModuleTask, import_id: str) -> dict[str, int]:
    """Take a file over in one transaction; rows by what became of them."""
    with self.get_db() as session:
        row = import_service.get_import(session, UUID(import_id)).row
        return import_service.apply_import(session, row)


@shared_task(base=ModuleTask, bind=True, scope="platform")
def discard_old_imports(self: ModuleTask) -> dict[str, int]:
    """Throw away files that nobody has taken over; how many."""
    discarded = 0
    with self.get_db() as session:
        while gone := import_service.discard_old(session):
            discarded += gone
            self.checkpoint(None, discarded)
    return {"discarded": discarded}
