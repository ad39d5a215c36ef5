"""Webhook endpoints: making, changing, switching and removing them. Whose they are, says the session's scope."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.database import SYSTEM, acting_in, after_commit
from app.core.errors import ConflictError, FieldError
from app.core.http_guard import UrlRefusedError, check_url
from app.core.ids import new_id, to_public
from app.modules.core.contracts import CreatedWebhook, NewWebhook
from app.modules.core.enums import DisabledReason
from app.modules.core.exceptions import WebhookInputError, WebhookNotFoundError
from app.modules.core.models.webhook import WebhookEndpoint
from app.modules.core.services import webhook_secret_service
from app.modules.core.services.reach_service import require_all_platforms, vendor_of
from app.modules.menu import page_url
from app.modules.problems import clear_problem
from app.modules.registry import modules
from app.modules.state import Snapshot, current_snapshot, is_enabled
from app.modules.tenancy.facade import find_vendor, record_audit

ENDPOINT_PREFIX = "whe"
EVERYTHING = "*"
_MAX_DESCRIPTION = 200
_MAX_URL = 2000


def event_types(platform_ids: Collection[UUID]) -> list[str]:
    """Wire names of the events that modules of these platforms publish."""
    return sorted(
        name
        for code, module in modules().items()
        if is_enabled(code, platform_ids)
        for name in module.publishes
    )


_Listening = dict[str, set[UUID | None]]
_cached: tuple[Snapshot, _Listening] | None = None


def is_listening(session: Session, event: str, vendor_id: UUID | None) -> bool:
    """Whether an endpoint may want an event of a vendor: what this process knows, at most a second or two old.

    Asked for each event that is published anywhere, so that those which nobody wants cost nothing. It is read in the
    publisher's transaction, which may hold what others wait for: that must not wait for a second connection.
    """
    global _cached
    snapshot = current_snapshot()
    if _cached is None or _cached[0] is not snapshot:
        with acting_in(session, SYSTEM):
            _cached = (snapshot, _read_listening(session))
    listening = _cached[1]
    return any(not listening.get(name, set()).isdisjoint({None, vendor_id}) for name in (event, EVERYTHING))


def _read_listening(session: Session) -> _Listening:
    found: _Listening = {}
    event = func.unnest(WebhookEndpoint.event_types).label("event")
    for row in session.execute(
        select(WebhookEndpoint.vendor_id, event).where(WebhookEndpoint.is_enabled).distinct()
    ):
        found.setdefault(row.event, set()).add(row.vendor_id)
    return found


def _forget_listening() -> None:
    global _cached
    _cached = None


def list_webhooks(session: Session) -> Sequence[WebhookEndpoint]:
    """The endpoints of the session's tenant, the newest first; the operator's own without a vendor."""
    newest_first = select(WebhookEndpoint).where(here(session)).order_by(WebhookEndpoint.id.desc())
    return session.scalars(newest_first).all()


def here(session: Session) -> ColumnElement[bool]:
    """That an endpoint is the session's tenant's, or the operator's own without a vendor."""
    vendor_id = vendor_of(session)
    return WebhookEndpoint.vendor_id == vendor_id if vendor_id else WebhookEndpoint.vendor_id.is_(None)


def get_webhook(session: Session, endpoint_id: UUID) -> WebhookEndpoint:
    """One endpoint that the scope may see. Raises WebhookNotFoundError."""
    found = session.get(WebhookEndpoint, endpoint_id)
    if found is None:
        raise WebhookNotFoundError
    return found


def path_of(endpoint: WebhookEndpoint) -> str:
    """The address of the endpoint's page."""
    public = to_public(ENDPOINT_PREFIX, endpoint.id)
    if endpoint.vendor_id is None:
        return page_url("core.admin.webhook", webhook_id=public)
    vendor = find_vendor(vendor_id=endpoint.vendor_id)
    return page_url("core.vendor.webhook", vendor_code=vendor.code if vendor else "", webhook_id=public)


def is_own(session: Session, endpoint: WebhookEndpoint) -> bool:
    """Whether the endpoint is the session's tenant's, to change. The operator only looks at those of vendors."""
    return endpoint.vendor_id == vendor_of(session)


def create_webhook(session: Session, wanted: NewWebhook, *, by: UUID) -> CreatedWebhook:
    """A new endpoint with its secret, for the answer of an API; pages let it be revealed once. WebhookInputError."""
    require_all_platforms(session)
    checked = _checked(wanted)
    endpoint = WebhookEndpoint(
        id=new_id(),
        vendor_id=vendor_of(session),
        url=checked.url,
        description=checked.description,
        event_types=list(checked.event_types),
        created_by=by,
    )
    session.add(endpoint)
    session.flush()
    secret = webhook_secret_service.make_secret(session, endpoint.id)
    _audit(session, "core.webhook_created", endpoint, by, url=endpoint.url, events=endpoint.event_types)
    return CreatedWebhook(endpoint.id, secret)


def update_webhook(
    session: Session, endpoint_id: UUID, wanted: NewWebhook, *, version: int | None, by: UUID
) -> WebhookEndpoint:
    """Change address, events and description.

    Raises ConflictError for a stale version, WebhookInputError, WebhookNotFoundError.
    """
    endpoint = get_own_webhook(session, endpoint_id)
    if version is not None and version != endpoint.version:
        raise ConflictError
    checked = _checked(wanted)
    former = {"url": endpoint.url, "events": list(endpoint.event_types)}
    endpoint.url, endpoint.description = checked.url, checked.description
    endpoint.event_types = list(checked.event_types)
    session.flush()
    _audit(
        session,
        "core.webhook_updated",
        endpoint,
        by,
        url=endpoint.url,
        events=endpoint.event_types,
        former=former,
    )
    return endpoint


def switch_webhook(session: Session, endpoint_id: UUID, *, is_on: bool, by: UUID) -> WebhookEndpoint:
    """Send to the endpoint again, or stop sending. Raises WebhookNotFoundError."""
    endpoint = get_own_webhook(session, endpoint_id)
    if endpoint.is_enabled != is_on:
        endpoint.is_enabled = is_on
        endpoint.disabled_reason = None if is_on else DisabledReason.PERSON
        endpoint.failing_since = None
        session.flush()
        clear_problem(session, problem_key(endpoint), vendor_id=endpoint.vendor_id)
        _audit(session, "core.webhook_enabled" if is_on else "core.webhook_disabled", endpoint, by)
    return endpoint


def delete_webhook(session: Session, endpoint_id: UUID, *, by: UUID) -> None:
    """Remove an endpoint with its secrets and its log. Raises WebhookNotFoundError."""
    endpoint = get_own_webhook(session, endpoint_id)
    _audit(session, "core.webhook_deleted", endpoint, by, url=endpoint.url)
    clear_problem(session, problem_key(endpoint), vendor_id=endpoint.vendor_id)
    session.delete(endpoint)
    session.flush()


def rotate_secret(session: Session, endpoint_id: UUID, *, by: UUID) -> str:
    """A new secret, in plain text this once; the former signs too for another 24 hours. Raises WebhookNotFoundError."""
    endpoint = get_own_webhook(session, endpoint_id)
    secret = webhook_secret_service.make_secret(session, endpoint.id)
    _audit(session, "core.webhook_secret_rotated", endpoint, by)
    return secret


def reveal_secret(session: Session, endpoint_id: UUID, *, by: UUID) -> str | None:
    """The newest secret for a person to copy, once; None when it was shown before. Raises WebhookNotFoundError."""
    endpoint = get_own_webhook(session, endpoint_id)
    secret = webhook_secret_service.show_once(session, endpoint.id)
    if secret is not None:
        _audit(session, "core.webhook_secret_shown", endpoint, by)
    return secret


def problem_key(endpoint: WebhookEndpoint) -> str:
    """The key of the problem that an endpoint went off by itself."""
    return f"core.webhook:{to_public(ENDPOINT_PREFIX, endpoint.id)}"


def get_own_webhook(session: Session, endpoint_id: UUID) -> WebhookEndpoint:
    """One endpoint that the session's tenant may change. Raises WebhookNotFoundError."""
    require_all_platforms(session)
    endpoint = get_webhook(session, endpoint_id)
    if not is_own(session, endpoint):
        raise WebhookNotFoundError
    return endpoint


def _checked(wanted: NewWebhook) -> NewWebhook:
    errors = []
    url = wanted.url.strip()
    if not _is_callable(url):
        errors.append(FieldError("url", "url", "core.webhooks.error_url", {}))
    published = {name for module in modules().values() for name in module.publishes}
    chosen = sorted(set(wanted.event_types))
    if EVERYTHING in chosen:
        chosen = [EVERYTHING]
    elif not chosen or not published.issuperset(chosen):
        errors.append(FieldError("event_types", "event_types", "core.webhooks.error_event_types", {}))
    description = " ".join(wanted.description.split())
    if len(description) > _MAX_DESCRIPTION:
        params = {"number": _MAX_DESCRIPTION}
        errors.append(FieldError("description", "too_long", "core.webhooks.error_description", params))
    if errors:
        raise WebhookInputError(errors=errors)
    return NewWebhook(url, chosen, description)


def _is_callable(text: str) -> bool:
    """Whether we would call the address: https on the open internet, or a host that the installation allows."""
    settings = get_settings()
    try:
        url = check_url(text, settings)
    except UrlRefusedError:
        return False
    allowed = {url.host, f"{url.host}:{url.port}"} & settings.http_allowed_private_hosts
    return len(text) <= _MAX_URL and (url.scheme == "https" or bool(allowed))


def _audit(session: Session, action: str, endpoint: WebhookEndpoint, by: UUID, **details: object) -> None:
    """Record a change; this process acts by it at once."""
    after_commit(session, _forget_listening)
    record_audit(
        session,
        action,
        vendor_id=endpoint.vendor_id,
        actor_id=by,
        target=to_public(ENDPOINT_PREFIX, endpoint.id),
        **details,
    )
