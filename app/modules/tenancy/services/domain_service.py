"""Host names of vendors: claimed by the operator or the vendor, proved by a DNS record or by a file that the host
shows."""

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from app.core import clock, security
from app.core.database import IdentityScope, acting_in
from app.core.errors import AppError, FieldError, NotFoundError, ValidationFailedError
from app.core.http_client import fetch_to_file
from app.core.ids import to_public
from app.modules.entitlements import check_editable, consume
from app.modules.tenancy.adapters import dns_records
from app.modules.tenancy.exceptions import CodeTakenError
from app.modules.tenancy.models.tenant import Domain, Vendor
from app.modules.tenancy.services import audit_service, vendor_service
from app.tasks.dispatcher import dispatch

CUSTOM_DOMAINS = "tenancy.custom_domains"
PROOF_PATH = "/.well-known/wizamart-domain"
_RECORD_LABEL, _RECORD_MARK = "_wizamart", "wizamart-domain="
_VERIFY = "app.modules.tenancy.tasks.domains.verify_domain"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{4,253}}$)(?:{_LABEL}\.)+[a-z][a-z0-9-]{{0,61}}[a-z0-9]")
_MAX_PROOF_BYTES = 1024
_CHECK_SECONDS = 15.0


def add_domain(session: Session, vendor_id: UUID, host: str) -> UUID:
    """Claim a host for a vendor. A claim keeps nobody else from it, only the proof does.

    Raises NotFoundError, ValidationFailedError, CodeTakenError for a host that is theirs or proved by another, and
    LimitReachedError.
    """
    vendor = vendor_service.get_vendor_record(session, vendor_id)
    host = normalise_host(host)
    with acting_in(session, IdentityScope()):
        is_theirs = or_(Domain.vendor_id == vendor.id, Domain.verified_at.is_not(None))
        if session.scalar(select(Domain.id).where(Domain.host == host, is_theirs).limit(1)):
            raise CodeTakenError("host", host)
    consume(session, vendor.id, CUSTOM_DOMAINS)
    domain = Domain(vendor_id=vendor.id, host=host, token=security.new_token(24))
    session.add(domain)
    session.flush()
    _record(session, "tenancy.domain_added", domain)
    return domain.id


def count_domains(session: Session) -> int:
    """How many hosts the vendor of the session's scope has claimed."""
    return session.scalar(select(func.count()).select_from(Domain)) or 0


def normalise_host(text: str) -> str:
    """Lower case and ASCII, without scheme, path and final dot; ValidationFailedError when it is no host name."""
    host = re.sub(r"^https?://", "", text.strip().lower()).partition("/")[0].rstrip(".")
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        error = FieldError("host", "form", "tenancy.errors.host", {})
        raise ValidationFailedError(f"{text!r} is no host name.", errors=[error])
    return host


def get_domain(session: Session, domain_id: UUID) -> Domain:
    """A domain that the session's scope may see; NotFoundError."""
    domain = session.get(Domain, domain_id)
    if domain is None:
        raise NotFoundError
    return domain


def list_domains(session: Session, vendor_id: UUID) -> Sequence[Domain]:
    """The hosts of a vendor, by name."""
    return session.scalars(select(Domain).where(Domain.vendor_id == vendor_id).order_by(Domain.host)).all()


def state_of(domain: Any) -> str:
    """verified, failed or waiting; of a domain or a row of a list of them."""
    if domain.failure:
        return "failed"
    return "verified" if domain.verified_at else "waiting"


def failure_group(failure: str) -> str:
    """Which text explains a failure: other_token, taken, refused (a private address or none), or unreachable."""
    if failure in ("other_token", "taken"):
        return failure
    return "unreachable" if failure in ("timeout", "connection", "status", "redirects") else "refused"


def select_domains() -> Select[Any]:
    """Hosts with their vendors, of those that the reader may see."""
    columns: Sequence[Any] = (
        Domain.id,
        Domain.host,
        Domain.verified_at,
        Domain.checked_at,
        Domain.failure,
        Domain.created_at,
        Vendor.name.label("vendor"),
    )
    return select(*columns).join(Vendor, Vendor.id == Domain.vendor_id)


def matching(words: str) -> ColumnElement[bool]:
    """Hosts that hold the words, or whose vendor does."""
    return or_(Domain.host.icontains(words, autoescape=True), Vendor.name.icontains(words, autoescape=True))


def start_check(session: Session, domain_id: UUID) -> None:
    """Ask the host for the proof, in a job. Raises NotFoundError, SurplusError for one over the vendor's limit."""
    domain = get_domain(session, domain_id)
    older = select(func.count()).where(Domain.vendor_id == domain.vendor_id, Domain.id <= domain.id)
    check_editable(session, domain.vendor_id, CUSTOM_DOMAINS, lambda: session.scalar(older) or 0)
    dispatch(
        session,
        _VERIFY,
        kwargs={"domain_id": domain.id},
        vendor_id=domain.vendor_id,
        unique_key=f"tenancy.verify_domain:{domain.id}",
    )


def proof_url(domain: Domain) -> str:
    """Where the host has to show the token, unless its DNS does."""
    return f"http://{domain.host}{PROOF_PATH}"


def record_name(domain: Domain) -> str:
    """The name of the TXT record that proves the host."""
    return f"{_RECORD_LABEL}.{domain.host}"


def record_text(domain: Domain) -> str:
    """What that record has to say."""
    return f"{_RECORD_MARK}{domain.token}"


def find_proof(name: str, url: str, token: str) -> str | None:
    """None when the DNS record ``name`` or the file at ``url`` shows the token, else a code of what went wrong.

    Call without an open transaction.
    """
    records = dns_records.find_texts(name)
    if f"{_RECORD_MARK}{token}" in records:
        return None
    failure = ask_host(url, token)
    if failure is not None and any(text.startswith(_RECORD_MARK) for text in records):
        return "other_token"
    return failure


def ask_host(url: str, token: str) -> str | None:
    """None when the host shows the token, else a code of what went wrong. Call without an open transaction.

    Goes through the guarded client: names that lead into private networks are refused.
    """
    with TemporaryDirectory(prefix="wizamart-domain-") as folder:
        shown = Path(folder) / "proof"
        try:
            fetch_to_file(url, shown, max_bytes=_MAX_PROOF_BYTES, total_seconds=_CHECK_SECONDS)
        except AppError as error:
            return str(error.params.get("reason", "too_large"))
        return None if shown.read_text("utf-8", "replace").strip() == token else "other_token"


def note_check(session: Session, domain_id: UUID, failure: str | None) -> None:
    """Keep what a check found; a host that fails later stays verified, with the failure beside it."""
    domain = get_domain(session, domain_id)
    if failure is None and domain.verified_at is None:
        failure = "taken" if _is_proved(session, domain.host) else None
    domain.checked_at, domain.failure = clock.system_now(), failure
    if failure is None and domain.verified_at is None:
        domain.verified_at = clock.system_now()
        _record(session, "tenancy.domain_verified", domain)
    session.flush()


def _is_proved(session: Session, host: str) -> bool:
    with acting_in(session, IdentityScope()):
        proved = select(Domain.id).where(Domain.host == host, Domain.verified_at.is_not(None))
        return session.scalar(proved.limit(1)) is not None


def remove_domain(session: Session, domain_id: UUID) -> Domain:
    """Let go of a host; NotFoundError."""
    domain = get_domain(session, domain_id)
    _record(session, "tenancy.domain_removed", domain)
    session.delete(domain)
    session.flush()
    return domain


def _record(session: Session, action: str, domain: Domain) -> None:
    target = to_public("dom", domain.id)
    audit_service.record(session, action, vendor_id=domain.vendor_id, target=target, host=domain.host)
