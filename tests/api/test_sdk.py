"""The client that is made from the committed description works with a live server."""

import os
import subprocess
from pathlib import Path

import orjson

_ROOT = Path(__file__).parents[2]
_TOOL = _ROOT / ".venv" / "sdk-tool" / "bin"
_PROGRAM = """
import json, sys
from wizamart_client import AuthenticatedClient
from wizamart_client.api.catalog import catalog_products_list
from wizamart_client.api.tenancy import tenancy_roles_create, tenancy_roles_get
from wizamart_client.models import NewRole, Problem

client = AuthenticatedClient(base_url=sys.argv[1], token=sys.argv[2], headers={"Accept-Language": "en"})
with client:
    first = catalog_products_list.sync(client=client, limit=20, include="total_count")
    second = catalog_products_list.sync(client=client, limit=20, cursor=first.next_cursor)
    made = tenancy_roles_create.sync(client=client, body=NewRole(name="Packers", permissions=[]))
    read = tenancy_roles_get.sync(made.id, client=client)
    refused = tenancy_roles_create.sync_detailed(client=client, body=NewRole(name="", permissions=["no.such"]))
assert isinstance(refused.parsed, Problem)
print(json.dumps({
    "total": first.total_count,
    "skus": [product.sku for product in (*first.data, *second.data)],
    "price": first.data[0].price.to_dict(),
    "role": read.name,
    "refused": refused.status_code,
    "pointers": [field.pointer for field in refused.parsed.errors],
}))
"""


def test_a_client_lists_creates_and_reads_what_is_wrong(
    api_url: str, vendor_key: str, catalogue: None, tmp_path: Path
) -> None:
    assert (_TOOL / "openapi-python-client").is_file(), "Make the tool first: make sdk"
    environment = {"PATH": f"{_TOOL}{os.pathsep}/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"}

    def run(*command: str) -> str:
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    schema = str(_ROOT / "docs" / "api" / "openapi.json")
    run(
        *(str(_TOOL / "openapi-python-client"), "generate", "--path", schema, "--fail-on-warning"),
        *("--meta", "none", "--output-path", "wizamart_client"),
    )
    said = orjson.loads(run(str(_TOOL / "python"), "-c", _PROGRAM, f"{api_url}/api/v1", vendor_key))
    assert said["total"] >= 30
    assert len(said["skus"]) == len(set(said["skus"])) > 20
    assert said["price"]["currency"] == "EUR"
    assert said["role"] == "Packers"
    assert said["refused"] == 422
    assert said["pointers"]
