"""API keys: making, listing, revoking, and finding out who holds one."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.database import IdentityScope, acting_in, unit_of_work
from app.core.errors import ConflictError, FieldError, UnauthenticatedError
from app.core.ids import to_public
from app.core.security import hash_token, new_token
from app.modules.api import callers as api_callers
from app.modules.api.callers import LIVE_PREFIX, TEST_PREFIX, Caller, KeyMakerGoneError
from app.modules.core.exceptions import ApiKeyInputError, ApiKeyNotFoundError
from app.modules.core.models.api_key import ApiKey
from app.modules.principal import Principal
from app.modules.tenancy.facade import admin_holder, record_audit, vendor_holder

PREFIX = "key"
_SHOWN_CHARACTERS = 6  # of the random part
_USED_EVERY = timedelta(minutes=5)  # how often the last use is written
_MAX_NAME_CHARACTERS = 100
_MAX_NETWORKS = 20
_LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class KeyInput:
    """What somebody says about a new key. ``networks``: addresses or CIDR networks; ``expires_at``: None for never."""

    name: str
    scopes: Sequence[str]
    networks: Sequence[str] = ()
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is shown once."""

    id: UUID
    token: str = field(repr=False)


def create_key(session: Session, owner: Principal, wanted: KeyInput) -> NewKey:
    """A key of the owner's vendor or, in the admin area, of the owner, with no more permissions than theirs.

    Raises ApiKeyInputError for input that cannot be accepted.
    """
    _check(wanted, owner.permissions)
    prefix = LIVE_PREFIX if get_settings().env == "production" else TEST_PREFIX
    token = prefix + new_token()
    key = ApiKey(
        vendor_id=owner.vendor.id if owner.vendor else None,
        user_id=None if owner.vendor else owner.user_id,
        name=wanted.name.strip(),
        start=token[: len(prefix) + _SHOWN_CHARACTERS],
        token_hash=hash_token(token),
        scopes=sorted(set(wanted.scopes)),
        networks=[str(ip_network(text.strip(), strict=False)) for text in wanted.networks],
        expires_at=wanted.expires_at,
        created_by=owner.user_id,
    )
    with acting_in(session, IdentityScope()):
        session.add(key)
    _audit(session, owner, "core.api_key_created", key)
    return NewKey(key.id, token)


def _check(wanted: KeyInput, allowed: Collection[str]) -> None:
    errors = []
    if not 0 < len(wanted.name.strip()) <= _MAX_NAME_CHARACTERS:
        errors.append(FieldError("name", "name", "errors.core.api_key_name", {}))
    if not wanted.scopes or not set(wanted.scopes) <= set(allowed):
        errors.append(FieldError("scopes", "scopes", "errors.core.api_key_scopes", {}))
    if len(wanted.networks) > _MAX_NETWORKS or not all(map(_is_network, wanted.networks)):
        errors.append(FieldError("networks", "networks", "errors.core.api_key_networks", {}))
    now = clock.system_now()
    if wanted.expires_at and not now < wanted.expires_at < now + timedelta(days=_LONGEST_DAYS):
        errors.append(FieldError("expires_at", "expires_at", "errors.core.api_key_expires_at", {}))
    if errors:
        raise ApiKeyInputError(errors=errors)


def _is_network(text: str) -> bool:
    try:
        ip_network(text.strip(), strict=False)
    except ValueError:
        return False
    return re.fullmatch(r"[0-9a-fA-F:./]+", text.strip()) is not None


def get_key(session: Session, owner: Principal, key_id: UUID) -> ApiKey:
    """One key of the owner's. Raises ApiKeyNotFoundError."""
    with acting_in(session, IdentityScope()):
        key = session.scalar(select(ApiKey).where(ApiKey.id == key_id, _owned(owner)))
    if key is None:
        raise ApiKeyNotFoundError
    return key


def revoke_key(session: Session, owner: Principal, key_id: UUID) -> ApiKey:
    """End a key: within seconds every process refuses it.

    Raises ApiKeyNotFoundError, ConflictError for one that was revoked before.
    """
    key = get_key(session, owner, key_id)
    if key.revoked_at is not None:
        raise ConflictError(message_key="errors.core.api_key_revoked")
    with acting_in(session, IdentityScope()):
        key.revoked_at = clock.system_now()
    _audit(session, owner, "core.api_key_revoked", key)
    api_callers.forget()
    return key


def _owned(owner: Principal) -> ColumnElement[bool]:
    return ApiKey.vendor_id == owner.vendor.id if owner.vendor else ApiKey.user_id == owner.user_id


def _audit(session: Session, owner: Principal, action: str, key: ApiKey) -> None:
    record_audit(
        session,
        action,
        vendor_id=owner.vendor.id if owner.vendor else None,
        actor_id=owner.user_id,
        target=to_public(PREFIX, key.id),
        name=key.name,
    )


def resolve(token: str) -> Caller:
    """The holder of a key, with the permissions that the key was given and its maker has now.

    Raises UnauthenticatedError for a key that there is not or that ended, KeyMakerGoneError for one whose maker may
    not work here any more.
    """
    with unit_of_work(IdentityScope()) as session:
        key = session.scalar(select(ApiKey).where(ApiKey.token_hash == hash_token(token)))
        if key is None or key.revoked_at is not None:
            raise UnauthenticatedError(message_key="errors.framework.key_refused")
        _remember_use(session, key)
        maker = _maker(session, key)
        if maker is None:
            raise KeyMakerGoneError
    return Caller(
        key_id=key.id,
        area="vendor" if key.vendor_id else "admin",
        principal=replace(maker, name=key.name, permissions=maker.permissions & frozenset(key.scopes)),
        networks=tuple(ip_network(text) for text in key.networks),
        expires_at=key.expires_at.timestamp() if key.expires_at else None,
    )


def _maker(session: Session, key: ApiKey) -> Principal | None:
    """Whose rights a key has, as they are now; None when they have none."""
    if key.user_id is not None:
        return admin_holder(session, key.user_id)
    assert key.vendor_id is not None
    return vendor_holder(session, key.vendor_id, key.created_by) if key.created_by else None


def _remember_use(session: Session, key: ApiKey) -> None:
    now = clock.system_now()
    if key.last_used_at is None or now - key.last_used_at > _USED_EVERY:
        # Past the version: two processes may do this at once, and it is no change of the key.
        session.execute(
            update(ApiKey)
            .where(ApiKey.id == key.id)
            .values(last_used_at=now, updated_at=ApiKey.updated_at)
            .execution_options(synchronize_session=False)
        )
