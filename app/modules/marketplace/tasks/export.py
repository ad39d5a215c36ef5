"""Writing the catalogue as feeds."""

from pathlib import Path
from typing import Any
from uuid import UUID

from celery import shared_task

from app.core.config import get_settings
from app.modules.marketplace.services import export_round_service, feed_export_service, notice_service
from app.modules.marketplace.services.export_service import export_file_name, export_products
from app.modules.task_base import ModuleTask
from app.modules.tenancy import facade as tenancy


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=3600.0)
def export_feed(self: ModuleTask, export_id: str) -> dict[str, Any]:
    """Write one export and send it, unless the guard holds it or nothing changed: ``outcome`` sent, held or unchanged.

    Progress counts products. Returns how many are in the file, how many rules left out, and what is new, changed and
    gone.
    """
    key = UUID(export_id)
    with self.get_db() as session:
        for progress in feed_export_service.write_export(session, key):
            self.report(progress.done, progress.total, phase="exporting")
        notice_service.tell_export_ended(session, key)
        row = feed_export_service.get_export(session, key).row
        counts = {name: (row.differences or {})[name] for name in ("new", "changed", "gone")}
        outcome = feed_export_service.sending_of(row)
        return {"outcome": outcome, "rows": row.rows, "excluded": row.excluded, **counts}


@shared_task(base=ModuleTask, bind=True, scope="platform", time_limit_seconds=3600.0)
def export_marketplace_products(self: ModuleTask) -> dict[str, int]:
    """Have the files of all vendors written and sent, each by a job of its own; returns how many were started.

    Progress counts files.
    """
    with self.get_db() as session:
        due = export_round_service.list_due(session)
        total = sum(len(vendor.languages) for vendor in due)
        cursor = self.job.checkpoint or {"code": "", "started": 0}
        done = 0
        for vendor in due:
            done += len(vendor.languages)
            if vendor.code > cursor["code"]:
                started = export_round_service.start_exports(session, vendor, parent_id=self.job.id)
                cursor = {"code": vendor.code, "started": cursor["started"] + started}
                self.checkpoint(cursor, done, total)
        return {"vendors": len(due), "files": cursor["started"]}


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=3600.0)
def export_vendor_products_to_folder(
    self: ModuleTask, vendor_id: str, languages: str = "en,fr,de", folder: str | None = None
) -> dict[str, Any]:
    """Write one file for each of the comma-separated ``languages``, on the worker's machine.

    ``folder`` is by default the vendor's own below ``exports`` in the data folder. Nothing is sent. Returns the paths,
    the number of rows in all of them, and by language how many products are new, changed and gone against the file
    that was sent last. Progress counts files.
    """
    vendor = tenancy.find_vendor(vendor_id=UUID(vendor_id))
    assert vendor is not None
    wanted = languages.split(",")
    target = Path(folder) if folder else get_settings().data_dir / "exports" / vendor.code.lower()
    files, rows, excluded, differences = [], 0, 0, {}
    with self.get_db() as session:
        for number, language in enumerate(wanted):
            file = target / export_file_name(vendor.code, language)
            for progress in export_products(session, language=language, target=file):
                written = progress
                self.report(number, len(wanted), phase="exporting")
            differences[language] = feed_export_service.compare_with_sent(session, language, file).counts
            files.append(str(file))
            rows, excluded = rows + written.rows, excluded + written.excluded
            self.report(number + 1, len(wanted))
    return {"files": files, "rows": rows, "excluded": excluded, "differences": differences}
