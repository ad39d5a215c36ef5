"""Who calls the API: the holder of a key, remembered for a few seconds so that most requests cost no query.

A key that was revoked, or whose maker or vendor was put on hold, is refused by every process within
``_REMEMBERED_SECONDS``; as soon do permissions follow that were taken from its maker.
Cookies are never looked at.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol
from uuid import UUID

from fastapi import Request

from app.core import clock
from app.core.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from app.core.security import hash_token
from app.modules.api.limits import count_request
from app.modules.base import Area
from app.modules.principal import Principal
from app.modules.providers import ProviderPoint
from app.modules.state import is_enabled

LIVE_PREFIX, TEST_PREFIX = "wm_live_", "wm_test_"
_REMEMBERED_SECONDS = 3.0
_MAX_REMEMBERED = 5_000
_MAX_KEY_CHARACTERS = 100


class KeyMissesPermissionError(ForbiddenError):
    """The key was not given the permission that the operation asks for."""

    code = "framework.key_misses_permission"


class KeyMakerGoneError(UnauthenticatedError):
    """A key has no more rights than the person who made it, and they no longer have any here."""

    code = "framework.key_maker_gone"


@dataclass(frozen=True, slots=True)
class Caller:
    """The holder of a key: what it may do and where, the addresses it may come from (none: any), when it ends."""

    key_id: UUID
    area: Area
    principal: Principal
    networks: Sequence[IPv4Network | IPv6Network] = ()
    expires_at: float | None = None  # seconds since 1970, by the system clock

    @property
    def vendor_id(self) -> UUID | None:
        """The vendor that the key is of; None for the operator's."""
        return self.principal.vendor.id if self.principal.vendor else None


class ApiIdentity(Protocol):
    """Answered by the module that owns API keys."""

    def __call__(self, token: str) -> Caller:
        """The holder of a key. Raises UnauthenticatedError for one that there is not, or no longer."""


API_IDENTITY: ProviderPoint[ApiIdentity] = ProviderPoint("framework.api_identity")

_remembered: dict[bytes, tuple[float, Caller]] = {}
_lock = threading.Lock()


def forget() -> None:
    """Forget all callers of this process: after a key of its own was revoked, and in tests."""
    with _lock:
        _remembered.clear()


def admit(request: Request, area: Area, module_code: str, permission: str) -> Caller:
    """The caller, counted against its limit.

    Raises UnauthenticatedError without a good key of the area or from an address that the key is not for,
    RateLimitedError, NotFoundError where the module is off, KeyMissesPermissionError.
    """
    caller = _caller(_token(request))
    if caller.area != area or not _may_come_from(caller, request):
        raise UnauthenticatedError(message_key="errors.framework.key_refused")
    count_request(request, str(caller.key_id))
    if not is_enabled(module_code, caller.principal.platform_ids):
        raise NotFoundError
    if permission not in caller.principal.permissions:
        raise KeyMissesPermissionError(permission=permission)
    return caller


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token.startswith((LIVE_PREFIX, TEST_PREFIX)):
        raise UnauthenticatedError(message_key="errors.framework.key_refused")
    return token[:_MAX_KEY_CHARACTERS]


def _caller(token: str) -> Caller:
    digest, now = hash_token(token), time.monotonic()
    found = _remembered.get(digest)
    if found is None or found[0] < now:
        found = (now + _REMEMBERED_SECONDS, API_IDENTITY.one()(token))
        with _lock:
            if len(_remembered) >= _MAX_REMEMBERED:
                _remembered.clear()
            _remembered[digest] = found
    caller = found[1]
    if caller.expires_at is not None and caller.expires_at <= clock.system_now().timestamp():
        raise UnauthenticatedError(message_key="errors.framework.key_refused")
    return caller


def _may_come_from(caller: Caller, request: Request) -> bool:
    if not caller.networks:
        return True
    try:
        address = ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    return any(address in network for network in caller.networks)
