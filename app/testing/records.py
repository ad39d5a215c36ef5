"""Addresses of pages with records of the demo data in them."""

import re

from sqlalchemy import Engine, select

from app.core.ids import to_public
from app.core.tables import Base
from app.modules.migrations import load_models
from app.modules.registry import modules
from app.testing.isolation_doors import find_tenant

EXAMPLES = {"module_code": "tenancy", "feed_token": "none"}  # what stands in addresses and is no id


def with_examples(path: str) -> str:
    """An address with what is known of it filled in."""
    for name, value in EXAMPLES.items():
        path = path.replace("{" + name + "}", value)
    return path


def id_names(path: str) -> list[str]:
    """Names of the ids in an address."""
    return [name for name in re.findall(r"{(\w+)}", with_examples(path)) if name != "vendor_code"]


def find_address(path: str, owner: Engine, vendor_code: str, owner_email: str) -> str | None:
    """``path`` with a vendor and with ids of the demo's records; None where there is no such record.

    In the vendor's area they are records of that vendor.
    """
    load_models()
    found = with_examples(path).replace("{vendor_code}", vendor_code)
    for name in id_names(path):
        shows = next(m for m in modules().values() if name in m.public_ids)
        prefix, table_name = shows.public_ids[name]
        table = Base.metadata.tables[table_name]
        statement = select(table.c.id).order_by(table.c.id.desc()).limit(1)
        if "module" in table.c and shows.code != "monitoring":  # of the ledger, only its own work
            statement = statement.where(table.c.module == shows.code)
        # Rows under the identity role may name their vendor too.
        column = table.info["scope_column"] or ("vendor_id" if "vendor_id" in table.c else None)
        if "{vendor_code}" in path and column:
            tenant = find_tenant(owner, vendor_code, owner_email)
            statement = statement.where(table.c[column] == tenant.id)
        with owner.connect() as connection:
            key = connection.execute(statement).scalar()
        if key is None:
            return None
        found = found.replace("{" + name + "}", to_public(prefix, key))
    return found
