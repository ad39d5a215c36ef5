"""Health of the platform in words: every check with what to do about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core import clock
from app.core.observability import HealthResult, HealthStatus
from app.modules.monitoring.services.job_service import module_name
from app.modules.observability import platform_health

_OWN = ("database", "migrations", "broker", "queues")
_TONES = {HealthStatus.OK: "success", HealthStatus.DEGRADED: "warning", HealthStatus.FAILED: "danger"}


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check: ``name`` is one of the platform's own or a module's code; ``module`` the module's name."""

    name: str
    module: str | None
    result: HealthResult

    @property
    def tone(self) -> str:
        """The colour of its state."""
        return _TONES[self.result.status]

    @property
    def key(self) -> str:
        """Below which its texts stand."""
        return "module" if self.module else self.name


@dataclass(frozen=True, slots=True)
class Health:
    """All checks, the worst first, and their worst state."""

    status: HealthStatus
    checks: Sequence[CheckRow]
    checked_at: datetime

    @property
    def tone(self) -> str:
        """The colour of the whole."""
        return _TONES[self.status]


def look_at_health() -> Health:
    """Ask every check; within three seconds, and with no transaction open."""
    status, results = platform_health()
    return Health(status, _rows(results), clock.system_now())


def _rows(results: Mapping[str, HealthResult]) -> list[CheckRow]:
    worst_first = list(reversed(HealthStatus))
    rows = [
        CheckRow(name, None if name in _OWN else module_name(name), result)
        for name, result in results.items()
    ]
    return sorted(rows, key=lambda row: worst_first.index(row.result.status))
