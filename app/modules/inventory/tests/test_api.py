"""The stock for programs."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.core.database import IdentityScope, unit_of_work
from app.modules.api import callers as api_callers
from app.modules.tenancy import facade as tenancy
from app.testing.api_keys import make_key, owner_of

_ROOT = "/api/v1/vendor"


@pytest.fixture
def program(client: TestClient) -> Iterator[TestClient]:
    """A program of MINETT that may do what its owner may."""
    api_callers.forget()
    vendor = tenancy.get_vendor("MINETT")
    with unit_of_work(IdentityScope()) as session:
        holder = tenancy.vendor_holder(session, vendor.id, owner_of(session, vendor.company_id))
    assert holder is not None
    client.headers["Authorization"] = f"Bearer {make_key(holder)}"
    yield client
    api_callers.forget()


def test_a_program_adjusts_and_reads(program: TestClient) -> None:
    first = program.get(f"{_ROOT}/inventory?limit=1").json()["data"][0]
    body = {name: first[name] for name in ("sku", "warehouse", "bin_location")}
    body |= {"mode": "change", "units": 2, "reason": "return_restock"}
    headers = {"Idempotency-Key": "a-1"}
    done = program.post(f"{_ROOT}/inventory/adjustments", json=body, headers=headers)
    assert done.status_code == 201
    assert (done.json()["before"], done.json()["after"]) == (first["on_hand"], first["on_hand"] + 2)
    again = program.post(f"{_ROOT}/inventory/adjustments", json=body, headers=headers)
    assert again.json() == done.json()
    assert program.get(f"{_ROOT}/inventory?limit=1").json()["data"][0]["on_hand"] == first["on_hand"] + 2
    line = program.get(f"{_ROOT}/inventory/movements?sku={first['sku']}").json()["data"][0]
    assert (line["on_hand_change"], line["reason"]) == (2, "return_restock")
    codes = [one["code"] for one in program.get(f"{_ROOT}/warehouses").json()["data"]]
    assert codes == ["LUX", "REM"]


def test_what_cannot_be_is_refused(program: TestClient) -> None:
    first = program.get(f"{_ROOT}/inventory?limit=1").json()["data"][0]
    body = {"sku": first["sku"], "warehouse": "LUX", "bin_location": first["bin_location"], "units": -100_000}
    tries = (({"reason": "damaged"}, 409), ({"reason": "none"}, 422), ({"reason": "count", "sku": "NO"}, 422))
    for number, (change, status) in enumerate(tries):
        headers = {"Idempotency-Key": f"b-{number}"}
        answer = program.post(f"{_ROOT}/inventory/adjustments", json={**body, **change}, headers=headers)
        assert answer.status_code == status, answer.text
