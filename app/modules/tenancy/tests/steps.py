"""What several tests of tenancy do: sending forms, reading mails, finding rows behind the scenes."""

import email
import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import default
from typing import Any

import httpx2
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.config import get_settings
from app.core.ids import to_public
from app.testing.browsing import token_of

OWNER, VIEWER, ADMIN, SUPPORT = (
    "owner@moselle.example",
    "team@moselle.example",
    "admin@wizamart.example",
    "support@wizamart.example",
)
NEW_PASSWORD = "Kachkeis-mat-Moschter-7"


def post(
    client: TestClient, path: str, data: Mapping[str, Any] | None = None, *, page: str | None = None
) -> httpx2.Response:
    """Send a form with the token (and version) of the page it stands on."""
    shown = client.get(page or path)
    fields = {"csrf_token": token_of(shown), **(data or {})}
    version = re.search(r'name="version" value="(\d+)"', shown.text)
    if version:
        fields.setdefault("version", version[1])
    return client.post(path, data=fields)


def mails_to(address: str, path: str) -> list[EmailMessage]:
    """The mails to somebody with a link to a path of ours, the oldest first."""
    files = sorted((get_settings().data_dir / "outbox").glob("*.eml"))
    mails = [email.message_from_bytes(file.read_bytes(), policy=default) for file in files]
    return [
        mail
        for mail in mails
        if isinstance(mail, EmailMessage) and mail["To"] == address and f"{path}?token=" in mail.get_content()
    ]


def link_in(mail: EmailMessage) -> str:
    """The path and query of the link in a mail."""
    found = re.search(r"https?://[^/\s]+(/\S+)", mail.get_content())
    assert found
    return found[1]


def token_in(link: str) -> str:
    """The token of a link."""
    return link.partition("token=")[2]


def id_of(owner: Engine, table: str, prefix: str, condition: str) -> str:
    """The public id of one row."""
    with owner.connect() as connection:
        key = connection.execute(text(f'SELECT id FROM "{table}" WHERE {condition}')).scalar_one()
    return to_public(prefix, key)


def page_of(owner: Engine, what: str, column: str, value: str) -> str:
    """The address of a record's page in the admin area; ``what`` is vendors, users or domains."""
    prefix = {"vendors": "vnd", "users": "usr", "domains": "dom"}[what]
    return f"/admin/{what}/{id_of(owner, what, prefix, f'{column} = {value!r}')}"


def value_of(owner: Engine, sql: str) -> Any:
    """One value out of the database, past all policies."""
    with owner.connect() as connection:
        return connection.execute(text(sql)).scalar()


def make_platform_admin(owner: Engine, email: str) -> None:
    """Give somebody the built-in role that may do everything on their platforms."""
    with owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO operator_role_grants (user_id, role_id, created_at) SELECT u.id, r.id, now() "
                "FROM users u, operator_roles r WHERE u.email = :email AND r.code = 'platform_admin'"
            ),
            {"email": email},
        )


def acts(owner: Engine) -> list[str]:
    """All acts in the audit log, the oldest first."""
    with owner.connect() as connection:
        return list(connection.execute(text("SELECT action FROM audit_log ORDER BY id")).scalars())
