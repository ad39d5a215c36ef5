"""The stable surface for modules outside this repository: import from here and nowhere else.

Names are added, and removed only after a release in which they warned.
"""

from app.core import clock
from app.core.database import SYSTEM, TenantScope, acting_in, bulk_load, unit_of_work
from app.core.errors import (
    AppError,
    ConflictError,
    FieldError,
    ForbiddenError,
    NotFoundError,
    ValidationFailedError,
)
from app.core.ids import from_public, new_id, to_public
from app.core.money import Money
from app.core.observability import HealthResult, HealthStatus
from app.core.tables import Base, Keyed, TableScope, Timestamped, VendorOwned, Versioned
from app.modules.base import (
    CatchUp,
    Hooks,
    MenuEntry,
    ModuleClass,
    ModuleDefinition,
    Overlap,
    PageDef,
    Permission,
    ScheduledTask,
)
from app.modules.events import Event, publish
from app.modules.pages import PageContext
from app.modules.providers import ProviderPoint
from app.modules.routing import AreaRouter, public_id
from app.modules.task_base import ModuleTask
from app.tasks.dispatcher import dispatch

__all__ = [
    "SYSTEM",
    "AppError",
    "AreaRouter",
    "Base",
    "CatchUp",
    "ConflictError",
    "Event",
    "FieldError",
    "ForbiddenError",
    "HealthResult",
    "HealthStatus",
    "Hooks",
    "Keyed",
    "MenuEntry",
    "ModuleClass",
    "ModuleDefinition",
    "ModuleTask",
    "Money",
    "NotFoundError",
    "Overlap",
    "PageContext",
    "PageDef",
    "Permission",
    "ProviderPoint",
    "ScheduledTask",
    "TableScope",
    "TenantScope",
    "Timestamped",
    "ValidationFailedError",
    "VendorOwned",
    "Versioned",
    "acting_in",
    "bulk_load",
    "clock",
    "dispatch",
    "from_public",
    "new_id",
    "public_id",
    "publish",
    "to_public",
    "unit_of_work",
]
