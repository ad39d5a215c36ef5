"""Providers: the asking side owns a protocol, other modules register an implementation in their definition.

Only modules that are on answer, and one failing implementation never breaks the page that asked.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar, cast
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from app.modules.base import load
from app.modules.registry import modules
from app.modules.state import is_enabled, is_enabled_for_vendor, is_installed

log = structlog.get_logger(__name__)

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ProviderPoint(Generic[T]):
    """A question other modules may answer; ``name`` is ``<owner>.<noun>``, ``T`` the type of an implementation."""

    name: str

    def implementations(self, platform_ids: Collection[UUID] | None = None) -> Iterator[T]:
        """Implementations of installed modules in dependency order; where platforms are given, of enabled ones."""
        for _, implementation in self.by_module(platform_ids):
            yield implementation

    def by_module(self, platform_ids: Collection[UUID] | None = None) -> Iterator[tuple[str, T]]:
        """The same, each with the code of its module."""
        for code, module in modules().items():
            path = module.providers.get(self.name)
            if path is None:
                continue
            if is_installed(code) if platform_ids is None else is_enabled(code, platform_ids):
                yield code, cast(T, load(path))

    def find_for(self, vendor_id: UUID) -> T | None:
        """The implementation of the first module that is on for the vendor, for points that one module answers."""
        for code, module in modules().items():
            path = module.providers.get(self.name)
            if path is not None and is_enabled_for_vendor(code, vendor_id):
                return cast(T, load(path))
        return None

    def one(self) -> T:
        """The only implementation, for points that must have exactly one."""
        found = list(self.implementations())
        assert len(found) == 1, f"{self.name} has {len(found)} implementations, one is needed"
        return found[0]

    def collect(self, session: Session, ask: Callable[[T], R], platform_ids: Collection[UUID]) -> list[R]:
        """The answers of all enabled implementations; one that raises is logged and left out, its reads undone."""
        answers: list[R] = []
        for implementation in self.implementations(platform_ids):
            try:
                with session.begin_nested():
                    answers.append(ask(implementation))
            except Exception:
                log.exception("provider_failed", point=self.name)
        return answers
