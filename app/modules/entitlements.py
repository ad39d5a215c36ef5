"""What a vendor may have and do by its plan: features that modules declare, limits that one module answers for.

Limits are taken inside the writer's transaction: writers of one feature wait for each other, each counts what is
there, and what is over the limit is refused. Where no module that answers for plans is on, everything is allowed; one
that fails raises, and nothing is granted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.database import ScopedSession, TenantScope, acting_in
from app.core.errors import ConfigurationError
from app.core.i18n import MessageKey
from app.modules.base import Feature, load
from app.modules.gates import PlanError
from app.modules.providers import ProviderPoint
from app.modules.registry import modules


class LimitReachedError(PlanError):
    """The plan allows no more of a feature. Nothing was taken."""

    code = "framework.limit_reached"
    title = "The plan allows no more"


class SurplusError(PlanError):
    """The thing is over the limit of the plan: it can be read and deleted, not changed."""

    code = "framework.over_limit"
    title = "Read-only until the plan is larger"


class FeatureMissingError(PlanError):
    """The plan does not include a feature."""

    code = "framework.feature_missing"
    title = "Not in the plan"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How much of a feature a vendor may have and has. ``limit`` None: as much as it likes."""

    limit: int | None
    used: int

    @property
    def left(self) -> int | None:
        """How much more fits, never below nought; None where there is no limit."""
        return None if self.limit is None else max(self.limit - self.used, 0)

    @property
    def is_full(self) -> bool:
        """Whether nothing more fits."""
        return self.left == 0


class Entitlements(Protocol):
    """Answered by the module that knows plans. Every call comes in the vendor's scope and in its transaction."""

    def limit_of(self, session: Session, vendor_id: UUID, feature_code: str) -> int | None:
        """The limit that holds now, the feature's own default included; None is unlimited."""

    def used_in_period(self, session: Session, vendor_id: UUID, feature_code: str) -> int:
        """What was counted in the present period."""

    def lock(self, session: Session, vendor_id: UUID, feature_code: str) -> None:
        """Let no other writer of this feature of this vendor go on until the transaction has ended."""

    def count(self, session: Session, vendor_id: UUID, feature_code: str, amount: int) -> None:
        """Add to what is counted in the present period; called under the lock."""


ENTITLEMENTS: ProviderPoint[Entitlements] = ProviderPoint("framework.entitlements")


def features() -> dict[str, Feature]:
    """All declared features by code."""
    return {feature.code: feature for module in modules().values() for feature in module.features}


def get_feature(code: str) -> Feature:
    """A declared feature; ConfigurationError with the known codes when there is none."""
    if code not in features():
        raise ConfigurationError(f"There is no feature {code!r}. Declared: {', '.join(features())}.")
    return features()[code]


def find_limit(session: Session, vendor_id: UUID, code: str) -> int | None:
    """The limit of a feature that holds for a vendor now; None is unlimited."""
    get_feature(code)
    plan = ENTITLEMENTS.find_for(vendor_id)
    if plan is None:
        return None
    with _in_scope_of(session, vendor_id):
        return plan.limit_of(session, vendor_id, code)


def allowance(session: Session, vendor_id: UUID, code: str) -> Allowance:
    """What a vendor may have of a feature and has."""
    feature = get_feature(code)
    with _in_scope_of(session, vendor_id):
        plan = ENTITLEMENTS.find_for(vendor_id)
        limit = plan.limit_of(session, vendor_id, code) if plan else None
        return Allowance(limit, _used(session, vendor_id, feature, plan))


def consume(session: Session, vendor_id: UUID, code: str, amount: int = 1) -> None:
    """Claim room for ``amount`` more, before they are written in the same transaction.

    Raises LimitReachedError; nothing is taken then.
    """
    _claim(session, vendor_id, code, amount, is_partial=False)


def take(session: Session, vendor_id: UUID, code: str, wanted: int) -> int:
    """Claim room for as many of ``wanted`` as fit and return how many that are; for writers of many at once."""
    return _claim(session, vendor_id, code, wanted, is_partial=True)


def _claim(session: Session, vendor_id: UUID, code: str, wanted: int, *, is_partial: bool) -> int:
    feature = get_feature(code)
    plan = ENTITLEMENTS.find_for(vendor_id)
    if plan is None or wanted <= 0:
        return wanted
    with _in_scope_of(session, vendor_id):
        limit = plan.limit_of(session, vendor_id, code)
        if limit is None and not feature.is_per_period:
            return wanted
        plan.lock(session, vendor_id, code)
        left = None if limit is None else Allowance(limit, _used(session, vendor_id, feature, plan)).left
        if left is not None and left < wanted:
            if not is_partial:
                raise LimitReachedError(
                    f"The plan allows {limit} of {code}.",
                    feature=code,
                    what=MessageKey(feature.label_key),
                    limit=limit,
                )
            wanted = left
        if feature.is_per_period and wanted:
            plan.count(session, vendor_id, code, wanted)
    return wanted


def _used(session: Session, vendor_id: UUID, feature: Feature, plan: Entitlements | None) -> int:
    if feature.is_per_period:
        return plan.used_in_period(session, vendor_id, feature.code) if plan else 0
    usage: Callable[[Session], int] | None = load(feature.usage) if feature.usage else None
    return usage(session) if usage else 0


def is_allowed(session: Session, vendor_id: UUID, code: str) -> bool:
    """Whether the plan includes a binary feature."""
    return find_limit(session, vendor_id, code) != 0


def require(session: Session, vendor_id: UUID, code: str) -> None:
    """Raise FeatureMissingError unless the plan includes a binary feature."""
    if not is_allowed(session, vendor_id, code):
        label = MessageKey(get_feature(code).label_key)
        raise FeatureMissingError(f"The plan does not include {code}.", feature=code, what=label)


def check_editable(session: Session, vendor_id: UUID, code: str, position: Callable[[], int]) -> None:
    """Raise SurplusError when a thing is over the limit, so that it may be read and deleted but not changed.

    ``position`` says the how manieth it is by age of those that count (1: the oldest); asked only where there is a
    limit.
    """
    limit = find_limit(session, vendor_id, code)
    if limit is not None and position() > limit:
        label = MessageKey(get_feature(code).label_key)
        raise SurplusError(f"Over the plan's limit of {limit}.", feature=code, what=label, limit=limit)


@contextmanager
def _in_scope_of(session: Session, vendor_id: UUID) -> Iterator[None]:
    """The vendor's own rows, whoever writes: an operator, or somebody who is not signed in yet."""
    assert isinstance(session, ScopedSession)
    if isinstance(session.scope, TenantScope) and session.scope.vendor_id == vendor_id:
        yield
        return
    with acting_in(session, TenantScope(vendor_id)):
        yield
