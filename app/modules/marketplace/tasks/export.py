"""Writing the catalogue as feeds."""

from pathlib import Path
from typing import Any
from uuid import UUID

from celery import shared_task

from app.core.config import get_settings
from app.modules.marketplace.services import feed_export_service, notice_service
from app.modules.marketplace.services.export_service import export_file_name, export_products
from app.modules.task_base import ModuleTask
from app.modules.tenancy import facade as tenancy


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=3600.0)
def export_feed(self: ModuleTask, export_id: str) -> dict[str, Any]:
    """Write one export that somebody asked for; returns the number of its rows. Progress counts products."""
    key = UUID(export_id)
    with self.get_db() as session:
        done = 0
        for progress in feed_export_service.write_export(session, key):
            done = progress.done
            self.report(done, progress.total, phase="exporting")
        notice_service.tell_export_ended(session, key)
        return {"rows": done}


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=3600.0)
def export_vendor_products_to_folder(
    self: ModuleTask, vendor_id: str, languages: str = "en,fr,de", folder: str | None = None
) -> dict[str, Any]:
    """Write one file for each of the comma-separated ``languages``, on the worker's machine.

    ``folder`` is by default the vendor's own below ``exports`` in the data folder. Returns the paths and the number of
    rows in all of them. Progress counts files.
    """
    vendor = tenancy.find_vendor(vendor_id=UUID(vendor_id))
    assert vendor is not None
    wanted = languages.split(",")
    target = Path(folder) if folder else get_settings().data_dir / "exports" / vendor.code.lower()
    files, rows = [], 0
    with self.get_db() as session:
        for number, language in enumerate(wanted):
            file = target / export_file_name(vendor.code, language)
            written = 0
            for progress in export_products(session, language=language, target=file):
                written = progress.done
                self.report(number, len(wanted), phase="exporting")
            files.append(str(file))
            rows += written
            self.report(number + 1, len(wanted))
    return {"files": files, "rows": rows}
