"""``wizamart billing``."""

import json

from typer.testing import CliRunner

from app.modules.billing.cli import billing_app
from app.modules.billing.tests.conftest import Shop

_run = CliRunner()


def test_plans_and_subscriptions_are_listed(shop: Shop) -> None:
    tiers = json.loads(_run.invoke(billing_app, ["tiers", "--json"]).stdout)
    assert {tier["code"]: tier["revenue_cents"] for tier in tiers} == {
        "essential": 0,
        "professional": 0,
        "business": 19900,
        "enterprise": 33250,
    }
    rows = json.loads(_run.invoke(billing_app, ["subscriptions", "--json"]).stdout)
    assert {row["vendor"]: row["status"] for row in rows} == {"MINETT": "past_due", "MOSELLE": "active"}
    only = json.loads(_run.invoke(billing_app, ["subscriptions", "--status", "active", "--json"]).stdout)
    assert [row["vendor"] for row in only] == ["MOSELLE"]


def test_a_trial_is_extended(shop: Shop) -> None:
    shop.start_trial()
    end = shop.look().period_end
    result = _run.invoke(billing_app, ["trial", "extend", "GUTLAND", "--days", "7"])
    assert result.exit_code == 0, result.output
    assert (shop.look().period_end - end).days == 7
    assert shop.changes() == ["trial_started", "trial_extended"]
    assert shop.rows("SELECT id FROM audit_log WHERE action = 'billing.trial_extended'")
