"""Who asks, and for whom."""

from dataclasses import dataclass
from uuid import UUID

from app.core.database import Scope


@dataclass(frozen=True, slots=True)
class VendorRef:
    """The vendor a request is about."""

    id: UUID
    code: str
    name: str
    company_id: UUID


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks and what they may do here: permissions, the platforms that decide about modules, the database scope."""

    user_id: UUID
    name: str
    email: str
    permissions: frozenset[str]
    platform_ids: tuple[UUID, ...]
    scope: Scope
    tenant_name: str
    language: str | None = None
    theme: str | None = None
    vendor: VendorRef | None = None
    acting_as: str | None = None  # name of the admin who acts as this vendor
    time_zone: str | None = None
    has_shortcuts: bool = True
