"""The proof of delivery, small: the same faults in fewer rounds."""

import json
from collections import Counter

import pytest
from typer.testing import CliRunner

from app.testing.cli import prove_app
from app.testing.delivery import figures
from app.testing.delivery.faults import plan
from app.testing.delivery.points import POINTS

GOOD = {
    "lost": 0,
    "doubled": 0,
    "never_ordered": 0,
    "jobs_not_succeeded": 0,
    "out_of_order": 0,
    "stale_commits_accepted": 0,
    "ticks_missed": 0,
    "ticks_doubled": 0,
    "points_missed": [],
    "effects_expected": 5,
    "effects_seen": 5,
    "calls_expected": 1,
    "calls_received": 1,
    "stale_commits_tried": 1,
    "stale_commits_refused": 1,
    "recoveries": 1,
    "recovery_p95_seconds": 21.0,
    "ticks_due": 3,
}
BAD = [
    *({name: 1} for name, value in GOOD.items() if value == 0),
    {"points_missed": ["kill after_claim"]},
    {"effects_seen": 4},
    {"calls_received": 0},
    {"stale_commits_refused": 0},
    {"stale_commits_tried": 0, "stale_commits_refused": 0},
    {"recovery_p95_seconds": 30.0},
    {"recoveries": 0},
    {"ticks_due": 0},
]


@pytest.mark.long(40)
@pytest.mark.reliability
@pytest.mark.timeout(240)
def test_nothing_is_lost_or_done_twice_under_fire():
    words = ["delivery", "--jobs", "300", "--rounds", "2", "--seed", "5", "--outage", "2", "--json"]
    done = CliRunner().invoke(prove_app, words)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["jobs"] >= 300
    assert found["deliveries"] % 3 == 0 < found["deliveries"]
    assert sum(found["faults"].values()) == 12


@pytest.mark.parametrize("change", BAD, ids=str)
def test_each_figure_can_fail_the_proof(change):
    assert figures.is_proved(GOOD)
    assert not figures.is_proved(GOOD | change)


def test_a_plan_depends_on_its_seed_only_and_reaches_everything():
    assert plan(7, 6) == plan(7, 6) != plan(8, 6)
    faults = Counter((fault.kind, fault.point) for faults in plan(7, 6) for fault in faults)
    assert {point for kind, point in faults if kind == "kill" and point} == set(POINTS)
    assert faults["step_clock", None] == 6
    assert {"broker_out", "postgres_crash", "third_beat", "kill_beat", "stop_worker"} <= {
        k for k, _ in faults
    }
