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
from app.core.tables import (
    ERASE,
    KEEP,
    NOT_PERSONAL,
    Base,
    Keyed,
    Personal,
    TableScope,
    Timestamped,
    VendorOwned,
    Versioned,
)
from app.modules.audit import record_audit
from app.modules.base import (
    CatchUp,
    Feature,
    Hooks,
    MenuEntry,
    ModuleClass,
    ModuleDefinition,
    Overlap,
    PageDef,
    Permission,
    ScheduledTask,
)
from app.modules.entitlements import (
    Allowance,
    LimitReachedError,
    SurplusError,
    allowance,
    check_editable,
    consume,
    is_allowed,
    take,
)
from app.modules.events import Event, publish
from app.modules.gates import find_closed
from app.modules.pagekit.details import Action, Block, Detail, Fact, show_detail
from app.modules.pagekit.form_page import mount_form
from app.modules.pagekit.forms import Field, FieldProblem, FormSpec
from app.modules.pagekit.job_view import JobView
from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.list_parts import ListPart
from app.modules.pagekit.lists import BulkAction, BulkOutcome, Column, Filter, Link, ListSpec, RowLink, View
from app.modules.pages import PageContext
from app.modules.problems import Problem, clear_problem, report_problem
from app.modules.providers import ProviderPoint
from app.modules.routing import AreaRouter, public_id
from app.modules.setup import DemoLogin
from app.modules.task_base import ModuleTask
from app.modules.vendors import find_vendor_id
from app.tasks.dispatcher import dispatch
from app.tasks.lookup import find_job
from app.tasks.models import Job

__all__ = [
    "ERASE",
    "KEEP",
    "NOT_PERSONAL",
    "SYSTEM",
    "Action",
    "Allowance",
    "AppError",
    "AreaRouter",
    "Base",
    "Block",
    "BulkAction",
    "BulkOutcome",
    "CatchUp",
    "Column",
    "ConflictError",
    "DemoLogin",
    "Detail",
    "Event",
    "Fact",
    "Feature",
    "Field",
    "FieldError",
    "FieldProblem",
    "Filter",
    "ForbiddenError",
    "FormSpec",
    "HealthResult",
    "HealthStatus",
    "Hooks",
    "Job",
    "JobView",
    "Keyed",
    "LimitReachedError",
    "Link",
    "ListPart",
    "ListSpec",
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
    "Personal",
    "Problem",
    "ProviderPoint",
    "RowLink",
    "ScheduledTask",
    "SurplusError",
    "TableScope",
    "TenantScope",
    "Timestamped",
    "ValidationFailedError",
    "VendorOwned",
    "Versioned",
    "View",
    "acting_in",
    "allowance",
    "bulk_load",
    "check_editable",
    "clear_problem",
    "clock",
    "consume",
    "dispatch",
    "find_closed",
    "find_job",
    "find_vendor_id",
    "from_public",
    "is_allowed",
    "mount_form",
    "mount_list",
    "new_id",
    "public_id",
    "publish",
    "record_audit",
    "report_problem",
    "show_detail",
    "take",
    "to_public",
    "unit_of_work",
]
