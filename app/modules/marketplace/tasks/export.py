"""Writing the catalogue as feeds."""

from pathlib import Path
from typing import Any
from uuid import UUID

from celery import shared_task

from app.core.config import get_settings
from app.modules.marketplace.services.export_service import export_file_name, export_products
from app.modules.task_base import ModuleTask
from app.modules.tenancy import facade as tenancy


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
