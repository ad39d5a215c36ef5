"""Feeds that cannot be downloaded stand among the vendor's problems until they can."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.core.http_client import FetchFailedError
from app.core.http_guard import UrlRefusedError
from app.core.ids import to_public
from app.modules.marketplace.services.import_service import IMPORT_PREFIX, get_import
from app.modules.menu import page_url
from app.modules.problems import Problem, clear_problem, report_problem
from app.modules.tenancy import facade as tenancy


def problem_key(code: str, params: Mapping[str, Any]) -> str:
    """The message that says what is wrong: of errors of an address, the one for their reason."""
    is_address = code in (UrlRefusedError.code, FetchFailedError.code)
    return f"marketplace.address_problems.{params.get('reason', '')}" if is_address else f"errors.{code}"


def report_download(session: Session, import_id: UUID, error: AppError) -> None:
    """The feed of an import could not be fetched from its address."""
    row = get_import(session, import_id).row
    vendor = tenancy.find_vendor(vendor_id=row.vendor_id)
    code = vendor.code if vendor else ""
    url = page_url(
        "marketplace.vendor.import", vendor_code=code, import_id=to_public(IMPORT_PREFIX, import_id)
    )
    problem = Problem(
        _key(row.url), "marketplace.problems.download", {"name": row.source_name}, error.detail, url
    )
    report_problem(session, problem, vendor_id=row.vendor_id)


def clear_download(session: Session, import_id: UUID) -> None:
    """It was fetched."""
    row = get_import(session, import_id).row
    clear_problem(session, _key(row.url), vendor_id=row.vendor_id)


def _key(url: str | None) -> str:
    # Addresses may hold secrets, and are long.
    return f"marketplace.feed:{blake2b((url or '').encode(), digest_size=8).hexdigest()}"
