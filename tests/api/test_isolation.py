"""Ids of another tenant are of nothing, in every operation."""

import re
from typing import Any

import pytest
from sqlalchemy import Engine, select

from app.core.ids import to_public
from app.core.tables import Base
from app.modules.api.schema import build_schema
from app.modules.api.serving import operations
from app.modules.registry import modules
from app.testing.working import work
from tests.api.conftest import OTHER_VENDOR, VENDOR, Program, holder_of


@pytest.mark.timeout(120)
def test_ids_of_others_lead_nowhere(vendor: Program, catalogue: None, owner_engine: Engine) -> None:
    work(timeout_seconds=100)  # the demo's records
    ours, theirs = holder_of(VENDOR).vendor, holder_of(OTHER_VENDOR).vendor
    assert ours
    assert theirs
    schema = build_schema()
    examples = schema["components"]["schemas"]
    tried = 0
    for name, (_, operation) in operations().items():
        names = re.findall(r"{(\w+)}", operation.path)
        if operation.area != "vendor" or not names:
            continue
        prefix, table_name = next(
            m.public_ids[names[0]] for m in modules().values() if names[0] in m.public_ids
        )
        table = Base.metadata.tables[table_name]
        column = table.c.get("vendor_id")
        with owner_engine.connect() as connection:
            keys = connection.execute(select(table.c.id).where(column == theirs.id).limit(2)).scalars().all()
        assert keys, f"the demo has no {table_name} of {OTHER_VENDOR}"
        for key in keys:
            path = operation.address.replace("{" + names[0] + "}", to_public(prefix, key))
            body = next((examples[one]["examples"][0] for one in _models_of(name, schema)), None)
            headers = {"If-Match": "*", "Idempotency-Key": f"{name}-{key}"}
            answer = vendor(operation.method, path, json=body, headers=headers)
            assert answer.status_code == 404, f"{name}: {answer.status_code} {answer.text}"
            tried += 1
    assert tried > 10


def _models_of(name: str, schema: dict[str, Any]) -> list[str]:
    for methods in schema["paths"].values():
        for described in methods.values():
            if described["operationId"] == name and "requestBody" in described:
                content = described["requestBody"]["content"]["application/json"]["schema"]
                return [content["$ref"].rpartition("/")[2]]
    return []
