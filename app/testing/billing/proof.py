"""The year itself: time goes on in steps, messages get lost, workers die, and at the end both sides say the same."""

import random
import resource
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from app.core.database import SYSTEM, unit_of_work
from app.tasks.dispatcher import dispatch
from app.testing.billing.compare import KINDS, Ends, compare, digest, read_ends
from app.testing.billing.plan import MONTH_DAYS, STEP_DAYS, Life, kills, lives
from app.testing.billing.shops import Shops, open_house, set_clock
from app.testing.billing.stage import billing_stage
from app.testing.stage import Stage

# Far enough ahead that no run of the proof comes to it, and the same for each.
_YEAR = datetime(2040, 1, 1, 8, tzinfo=UTC)
_TASKS = "app.modules.billing.tasks.subscription"
_DAILY = ("reset_period_counters", "check_trial_expirations", "cleanup_stale_subscriptions")
_LOST, _DOUBLED, _REORDERED = 0.1, 0.3, 0.3
_HELD_SECONDS = 0.5
_COUNTS = text(
    """
    SELECT (SELECT count(*) FROM jobs) AS jobs, (SELECT count(*) FROM jobs WHERE state = 'failed') AS jobs_failed,
        (SELECT count(*) FROM job_runs WHERE outcome = 'lost') AS runs_lost,
        (SELECT count(*) FROM incoming_webhooks) AS webhooks_stored,
        (SELECT count(*) FROM incoming_webhooks WHERE processed_at IS NULL) AS webhooks_unprocessed,
        (SELECT count(*) FROM billing_invoices WHERE stripe_invoice_id IS NOT NULL) AS invoices,
        (SELECT coalesce(sum(paid_cents), 0) FROM billing_invoices WHERE stripe_invoice_id IS NOT NULL) AS paid_cents
    """
)
_STATUSES = text("SELECT status, count(*) FROM subscriptions GROUP BY 1 ORDER BY 1")
_FAILED = text("SELECT task, error_message FROM jobs WHERE state = 'failed' ORDER BY id LIMIT 5")
_REPAIRED = text(
    """
    SELECT coalesce(sum((result->>'differed')::int), 0) AS subscriptions,
        coalesce(sum((result->>'invoices')::int), 0) AS invoices, coalesce(sum((result->>'failed')::int), 0) AS failed
    FROM jobs WHERE task LIKE '%.sync_stripe_status'
    """
)
_MUST_BE_ZERO = ("differences", "jobs_failed", "webhooks_unprocessed", "kills_missed")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. ``is_broken``: nothing is ever compared with Stripe, so that what is lost stays lost."""

    subscriptions: int = 1000
    months: int = 12
    seed: int = 1
    kills: int = 8
    is_broken: bool = False

    @property
    def steps(self) -> int:
        return int(self.months * MONTH_DAYS / STEP_DAYS)


def prove_billing(folder: Path, plan: Plan) -> dict[str, Any]:
    """Play the plan on scratch servers in the folder; returns the figures.

    Raises UnavailableError, with the ends of the logs, when the work does not come to an end.
    """
    started, used = time.monotonic(), _cpu_seconds()
    with billing_stage(folder, plan.seed) as here:
        year = Year(here, plan, open_house(), lives(plan.seed, plan.subscriptions, plan.months))
        year.play()
        before = compare(year.ends())
        year.reconcile()
        ends = year.ends()
        findings = compare(ends)
        figures = {
            **_counts(here.owner),
            **_messages(here),
            "acts": dict(sorted(year.shops.outcomes.items())),
            "kills": dict(sorted(here.wounds.items())),
            "kills_missed": len(here.doomed),
            "differences_before": sum(before.counts.values()),
            "differences": sum(findings.counts.values()),
            "differ": dict(sorted((name, count) for name, count in findings.counts.items() if count)),
            "examples": findings.examples,
            "digest": digest(ends),
            "cpu_seconds_of": here.cpu_seconds(),
        }
    return {
        "subscriptions": plan.subscriptions,
        "months": plan.months,
        "seed": plan.seed,
        **figures,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(_cpu_seconds() - used, 1),
    }


def is_proved(figures: dict[str, Any]) -> bool:
    """Both sides say the same, all work was done, and there was something to repair."""
    return not any(figures[name] for name in _MUST_BE_ZERO) and figures["invoices"] > 0 < figures["lost"]


@dataclass(slots=True)
class Year:
    """The course of it."""

    here: Stage
    plan: Plan
    shops: Shops
    lives: Sequence[Life]

    def play(self) -> None:
        """From the first day to the last."""
        self._be_at(0)
        self.here.settle()
        self._break_messages()
        struck = kills(self.plan.seed, self.plan.kills, self.plan.steps)
        for step in range(1, self.plan.steps + 1):
            self._open(step)
            self._be_at(step)
            self.here.doomed += [struck[step]] if step in struck else []
            self.here.settle()
            self._do_by_the_clock(step)
            self._act(step)

    def ends(self) -> Ends:
        """How things stand on both sides."""
        there = self.here.box.control("GET", f"/dump?kinds={','.join(KINDS)}")
        return read_ends(self.here.owner, there, _at(self.plan.steps))

    def _be_at(self, step: int) -> None:
        moment = _at(step)
        set_clock(moment)
        self.here.box.control("POST", "/clock", {"frozen_at": int(moment.timestamp())})

    def _open(self, step: int) -> None:
        since, until = (step - 1) * STEP_DAYS, step * STEP_DAYS
        self.shops.open([life for life in self.lives if since <= life.start_day < until], _YEAR)

    def _do_by_the_clock(self, step: int) -> None:
        run_tasks(*_DAILY)
        self.here.settle()
        if step < self.plan.steps and step * STEP_DAYS % MONTH_DAYS == 0:
            self.reconcile()

    def reconcile(self) -> None:
        """Compare everything with Stripe, as happens every hour; unless that is what is broken."""
        if not self.plan.is_broken:
            run_tasks("sync_stripe_status")
            self.here.settle()

    def _act(self, step: int) -> None:
        acts = [(life, life.acts[step]) for life in self.lives if step in life.acts]
        random.Random(f"{self.plan.seed}:{step}").shuffle(acts)
        if not acts:
            return
        asked = self.shops.ask(acts, _at(step))
        self.here.settle()
        self.shops.follow(asked, self.here.browser)
        self.here.settle()

    def _break_messages(self) -> None:
        """What is not lost may be doubled, and what is neither may change places with the next."""
        left = 1.0
        for name, share in (("lost", _LOST), ("double", _DOUBLED), ("reorder", _REORDERED)):
            fault = {"name": name, "times": None, "probability": share / left, "by": "customer"}
            self.here.box.control("POST", "/faults", {**fault, "seconds": _HELD_SECONDS})
            left -= share


def run_tasks(*names: str) -> None:
    """What schedules would do."""
    with unit_of_work(SYSTEM) as session:
        for name in names:
            dispatch(session, f"{_TASKS}.{name}")


def _at(step: int) -> datetime:
    return _YEAR + timedelta(days=step * STEP_DAYS)


def _counts(owner: Engine) -> dict[str, Any]:
    with owner.connect() as connection:
        counts = dict(connection.execute(_COUNTS).mappings().one())
        return {
            **{name: int(value) for name, value in counts.items()},
            "failures": [list(row) for row in connection.execute(_FAILED)],
            "statuses": {row.status: row.count for row in connection.execute(_STATUSES)},
            "repaired": {name: int(n) for name, n in connection.execute(_REPAIRED).mappings().one().items()},
        }


def _messages(here: Stage) -> dict[str, Any]:
    rows = here.box.control("GET", "/deliveries")["data"]
    fates = Counter(row["fault"] for row in rows)
    return {
        "webhooks": len({row["event"] for row in rows}),
        "lost": fates["lost"],
        "doubled": fates["double"] // 2,
        "reordered": fates["reorder"],
        "undelivered": sum(row["state"] == "failed" for row in rows),
    }


def _cpu_seconds() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)
