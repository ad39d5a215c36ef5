"""What the ledger and the effects say after the faults."""

from datetime import datetime
from pathlib import Path
from typing import Any

from cronsim import CronSim
from sqlalchemy import Engine, text

from app.testing.delivery.definition import SCHEDULE, TASKS
from app.testing.delivery.points import OUTCOMES

RECOVERY_SECONDS = 30.0
_MUST_BE_ZERO = (
    "lost",
    "doubled",
    "never_ordered",
    "jobs_not_succeeded",
    "out_of_order",
    "stale_commits_accepted",
    "ticks_missed",
    "ticks_doubled",
)

_COUNTS = text(
    f"""
    WITH expected AS (
        SELECT name FROM proof_expected
        UNION ALL SELECT 'tick:' || job_id FROM ticks WHERE schedule = '{SCHEDULE}'
    ), seen AS (SELECT name, count(*) AS times FROM proof_effects GROUP BY name)
    SELECT (SELECT count(*) FROM jobs) AS jobs,
        (SELECT count(*) FROM job_runs) AS runs,
        (SELECT count(*) FROM job_runs WHERE outcome = 'lost') AS runs_lost,
        (SELECT count(*) FROM expected) AS effects_expected,
        (SELECT sum(times) FROM seen) AS effects_seen,
        (SELECT count(*) FROM expected WHERE name NOT IN (SELECT name FROM seen)) AS lost,
        (SELECT coalesce(sum(times - 1), 0) FROM seen) AS doubled,
        (SELECT count(*) FROM seen WHERE name NOT IN (SELECT name FROM expected)) AS never_ordered,
        (SELECT count(*) FROM jobs WHERE state <> 'succeeded') AS jobs_not_succeeded,
        (SELECT count(*) FROM proof_expected WHERE name LIKE 'call:%') AS calls_expected,
        (SELECT count(*) FROM proof_received) AS calls_received,
        (SELECT count(*) FROM deliveries) AS deliveries,
        (SELECT count(DISTINCT line) FROM proof_effects) AS ordered_lines
    """
)
_OUT_OF_ORDER = text(
    """
    SELECT count(*) FROM (
        SELECT number - lag(number) OVER (PARTITION BY line ORDER BY id) AS step FROM proof_effects
        WHERE line IS NOT NULL
    ) steps WHERE step <= 0
    """
)
# A run that lost its lease had its effect committed all the same. Tasks in parts commit some before.
_STALE_ACCEPTED = text(
    f"""
    SELECT count(*) FROM proof_effects JOIN job_runs USING (job_id, token) JOIN jobs ON jobs.id = job_id
    WHERE outcome <> 'succeeded' AND task <> '{TASKS}.count'
    """
)
_LOST_RUNS = text("SELECT job_id || ':' || token AS run FROM job_runs WHERE outcome = 'lost'")
# From the last sign of life to the start of the next run, or to the end of the job where there is none.
_RECOVERIES = text(
    """
    SELECT extract(epoch FROM next.started_at - lost.heartbeat_at) AS seconds
    FROM job_runs lost CROSS JOIN LATERAL (
        SELECT started_at FROM job_runs WHERE job_id = lost.job_id AND token > lost.token ORDER BY token LIMIT 1
    ) next WHERE lost.outcome = 'lost' ORDER BY 1
    """
)
_TICKS = text(f"SELECT due_at FROM ticks WHERE schedule = '{SCHEDULE}' AND due_at > :since ORDER BY due_at")
_TICK_JOBS = text(
    f"""
    SELECT count(*) - count(DISTINCT ticks.due_at) FROM jobs LEFT JOIN ticks ON ticks.job_id = jobs.id
    WHERE task = '{TASKS}.tick'
    """
)
_CONSIDERED = text(f"SELECT considered_until FROM schedule_states WHERE name = '{SCHEDULE}'")


def considered_until(owner: Engine) -> datetime | None:
    """How far the proof's schedule has come; None before the first beat."""
    with owner.connect() as connection:
        found: datetime | None = connection.execute(_CONSIDERED).scalar_one_or_none()
        return found


def collect(owner: Engine, points: Path, ticks_since: datetime) -> dict[str, Any]:
    """All figures of the ledger."""
    with owner.connect() as connection:
        counts = dict(connection.execute(_COUNTS).mappings().one())
        recoveries = [float(row.seconds) for row in connection.execute(_RECOVERIES)]
        until = connection.execute(_CONSIDERED).scalar_one()
        made = {row.due_at for row in connection.execute(_TICKS, {"since": ticks_since})}
        due = _due(ticks_since, until)
        lost_runs = set(connection.execute(_LOST_RUNS).scalars())
        # Taken away, and all the same its process came to an end of it.
        stale = [state for run, state in _outcomes(points) if run in lost_runs]
        return counts | {
            "effects_seen": int(counts["effects_seen"] or 0),
            "doubled": int(counts["doubled"]),
            "out_of_order": connection.execute(_OUT_OF_ORDER).scalar_one(),
            "recoveries": len(recoveries),
            "recovery_p95_seconds": round(_p95(recoveries), 1),
            "recovery_max_seconds": round(max(recoveries, default=0.0), 1),
            "stale_commits_tried": len(stale),
            "stale_commits_refused": stale.count("lost"),
            "stale_commits_accepted": connection.execute(_STALE_ACCEPTED).scalar_one(),
            "ticks_due": len(due),
            "ticks_missed": len(due - made),
            "ticks_doubled": len(made - due) + connection.execute(_TICK_JOBS).scalar_one(),
        }


def is_proved(figures: dict[str, Any]) -> bool:
    """The work was delivered, and every fault was really played."""
    return is_delivered(figures) and not figures["points_missed"]


def is_delivered(figures: dict[str, Any]) -> bool:
    """Nothing lost, nothing twice, nothing late, nothing out of order, and there was something to lose."""
    return (
        not any(figures[name] for name in _MUST_BE_ZERO)
        and figures["effects_expected"] == figures["effects_seen"] > 0
        and figures["calls_expected"] == figures["calls_received"] > 0
        and figures["stale_commits_tried"] == figures["stale_commits_refused"] > 0
        and figures["recoveries"] > 0
        and figures["recovery_p95_seconds"] < RECOVERY_SECONDS
        and figures["ticks_due"] > 0
    )


def _outcomes(points: Path) -> list[list[str]]:
    return [line.split() for line in (points / OUTCOMES).read_text(encoding="ascii").splitlines()]


def _due(since: datetime, until: datetime) -> set[datetime]:
    found = set()
    for moment in CronSim("* * * * *", since):
        if moment > until:
            break
        found.add(moment)
    return found


def _p95(values: list[float]) -> float:
    return values[min(len(values) - 1, int(len(values) * 0.95))] if values else 0.0
