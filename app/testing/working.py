"""Background work in tests: done here, by the process that asks, on the database of the fixture."""

from sqlalchemy import text

from app.core.database import SYSTEM, TenantScope, unit_of_work
from app.modules.tasks import QUEUES
from app.tasks.runner import run_until_idle


def work(timeout_seconds: float = 60.0) -> None:
    """Do everything that is due, as workers would; AssertionError when it makes no end."""
    assert run_until_idle(QUEUES, timeout_seconds=timeout_seconds), "work is left after the time"


def vendor_scope(code: str = "MINETT") -> TenantScope:
    """The scope of a vendor of the demo."""
    with unit_of_work(SYSTEM) as session:
        found = session.execute(text("SELECT id FROM vendors WHERE code = :code"), {"code": code})
        return TenantScope(found.scalar_one())
