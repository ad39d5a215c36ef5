"""What other modules may know of tenants."""

from dataclasses import dataclass
from uuid import UUID

# Tables of other modules may point their foreign keys here; these names never change.
VENDOR_ANCHOR = "vendors.id"


DEMO_PASSWORD = "Schueberfouer-1340"  # noqa: S105 - of the demo accounts only; printed at start


@dataclass(frozen=True, slots=True)
class VendorInfo:
    """A vendor as other modules see it. Languages are two-letter codes."""

    id: UUID
    code: str
    name: str
    company_id: UUID
    platform_ids: tuple[UUID, ...]
    default_language: str
    dashboard_language: str


@dataclass(frozen=True, slots=True)
class UserInfo:
    """A user as other modules see it."""

    id: UUID
    name: str
    email: str
