"""The module, and what its plans say at present."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.errors import UnavailableError
from app.modules.base import Feature, MenuEntry, ModuleClass, ModuleDefinition, PageDef, Permission
from app.modules.gates import Closed

PACKAGE = "tests.plans.plan"
HERE = f"{PACKAGE}.definition"
THINGS, EXTRA = "plan.things", "plan.extra"


@dataclass
class Plans:
    """What the plan of every vendor is. ``failing``: nobody can say."""

    limits: dict[str, int | None] = field(default_factory=dict)
    closed: Closed | None = None
    failing: bool = False
    asked: list[str] = field(default_factory=list)

    def limit_of(self, session: Session, vendor_id: UUID, feature_code: str) -> int | None:
        """The limit of the test."""
        if self.failing:
            raise UnavailableError("The plans cannot be read.")
        self._note(session, vendor_id, "limit")
        return self.limits.get(feature_code)

    def used_in_period(self, session: Session, vendor_id: UUID, feature_code: str) -> int:
        """The counter of the table that the test made."""
        statement = text(
            "SELECT coalesce(sum(used), 0) FROM plan_counts WHERE vendor_id = :id AND code = :code"
        )
        return int(session.execute(statement, {"id": vendor_id, "code": feature_code}).scalar_one())

    def lock(self, session: Session, vendor_id: UUID, feature_code: str) -> None:
        """One writer after the other."""
        self._note(session, vendor_id, "lock")
        key = {"key": f"{vendor_id}:{feature_code}"}
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), key)

    def count(self, session: Session, vendor_id: UUID, feature_code: str, amount: int) -> None:
        """A row more."""
        values = {"id": vendor_id, "code": feature_code, "amount": amount}
        session.execute(text("INSERT INTO plan_counts VALUES (:id, :code, :amount)"), values)

    def _note(self, session: Session, vendor_id: UUID, what: str) -> None:
        setting = session.execute(text("SELECT current_setting('app.vendor_id', true)")).scalar_one()
        assert setting == str(vendor_id), "asked outside of the vendor's scope"
        self.asked.append(what)


plans = Plans()


def gate(_session: Session, _vendor_id: UUID) -> Closed | None:
    """Whether the subscription is over."""
    return plans.closed


definition = ModuleDefinition(
    code="plan",
    name="Plan",
    module_class=ModuleClass.CORE,
    package=PACKAGE,
    features=(
        Feature(THINGS, "plan.features.things", is_per_period=True),
        Feature(EXTRA, "plan.features.extra", kind="binary"),
    ),
    permissions=(Permission("plan.plan.manage", "plan.permissions.manage"),),
    pages=(
        PageDef("plan.vendor.plan", "vendor", "/tariff", "content", "plan.plan", "plan.plan.manage"),
        PageDef(
            "plan.vendor.extra",
            "vendor",
            "/extra",
            "content",
            "plan.extra",
            "plan.plan.manage",
            MenuEntry("settings", 90, "package"),
            feature=EXTRA,
        ),
    ),
    routes=("vendor",),
    providers={
        "framework.entitlements": f"{HERE}:plans",
        "framework.subscription_gate": f"{HERE}:gate",
    },
)
