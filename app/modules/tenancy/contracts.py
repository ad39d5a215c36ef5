"""What other modules may know of tenants."""

from dataclasses import dataclass
from uuid import UUID

# Tables of other modules may point their foreign keys here; these names never change.
VENDOR_ANCHOR = "vendors.id"


DEMO_PASSWORD = "Schueberfouer-1340"  # noqa: S105 - of the demo accounts only; printed at start


@dataclass(frozen=True, slots=True)
class PlatformInfo:
    """A platform as other modules see it."""

    id: UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class VendorInfo:
    """A vendor as other modules see it. Languages are two-letter codes.

    ``is_active``: neither the vendor nor its company is on hold.
    """

    id: UUID
    code: str
    name: str
    company_id: UUID
    platform_ids: tuple[UUID, ...]
    default_language: str
    dashboard_language: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class KnownVendor:
    """By what a vendor can be recognised elsewhere; ``hosts`` are those that were proved to be its own."""

    id: UUID
    code: str
    name: str
    company: str
    contact_email: str
    hosts: frozenset[str]


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user as other modules see it; ``language`` is the one they chose, if any."""

    id: UUID
    name: str
    email: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class TenantFigures:
    """How many companies and vendors there are, and how many of the vendors are on hold."""

    companies: int
    vendors: int
    vendors_on_hold: int
