"""What other modules may ask of the marketplace."""

from app.modules.marketplace.services.import_report_service import import_file, report_import

__all__ = ["import_file", "report_import"]
