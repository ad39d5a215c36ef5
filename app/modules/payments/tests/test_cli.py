"""The commands as a shell sees them."""

import json
from typing import Any

import pytest
from sqlalchemy import Engine, text

from app.modules.payments.tests.conftest import webhook_row
from app.testing.commands import run_command


def call(*arguments: str) -> tuple[int, str, str]:
    result = run_command("payments", *arguments)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.usefixtures("broker")
def test_messages_are_listed_and_handled_again(owner_engine: Engine) -> None:
    def listed(*options: str) -> list[Any]:
        code, out, err = call("webhooks", "--json", *options)
        assert code == 0, err
        return list(json.loads(out))

    assert [(one["event"], one["state"]) for one in listed()] == [("evt_demo", "processed")]
    assert listed("--state", "dead") == []
    code, _, told = call("replay", "evt_demo")
    assert (code, told) == (0, "1 will be handled again.\n")
    assert webhook_row(owner_engine, "evt_demo").processed_at is None
    code, _, told = call("replay", "evt_of_nobody")
    assert code != 0
    assert "wizamart payments webhooks" in told


@pytest.mark.usefixtures("broker")
def test_keys_are_sealed_again(owner_engine: Engine) -> None:
    assert call("reseal") == (0, "", "0 resealed.\n")
    with owner_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM payment_secrets")).scalar_one() == 0
