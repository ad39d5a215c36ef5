"""What does not work between the platform and others: feeds, webhooks, mail. Told once, however often it happens.

A problem has a key. Reported again it counts; it closes itself when what failed works again.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.providers import ProviderPoint


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that failed. ``key`` is ``<module>.<noun>`` and, after a colon, which one: ``marketplace.feed:fr``.

    ``message_key`` and ``params`` (texts and numbers) make the message in the reader's language; ``detail`` is shown as
    it is. ``url``: the path on this site where it is put right. It is critical once it was reported ``critical_after``
    times with no more than an hour between two of them.
    """

    key: str
    message_key: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    detail: str = ""
    url: str | None = None
    critical_after: int = 3


class Problems(Protocol):
    """Answered by the module that keeps them."""

    def report(self, session: Session, problem: Problem, vendor_id: UUID | None) -> None:
        """Note it, or count it."""

    def clear(self, session: Session, key: str, vendor_id: UUID | None) -> None:
        """Close it; nothing happens where there is none."""


PROBLEMS: ProviderPoint[Problems] = ProviderPoint("framework.problems")


def report_problem(session: Session, problem: Problem, *, vendor_id: UUID | None = None) -> None:
    """Put a problem before those who can act, in the session's transaction: the vendor's people or, without
    ``vendor_id``, the operator. The session's scope must be allowed to write there."""
    for problems in PROBLEMS.implementations():
        problems.report(session, problem, vendor_id)


def clear_problem(session: Session, key: str, *, vendor_id: UUID | None = None) -> None:
    """Say that it works again. Costs one statement; nothing happens where there is no such problem."""
    for problems in PROBLEMS.implementations():
        problems.clear(session, key, vendor_id)
