"""Keys for tests and benchmarks, as the key pages make them."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.database import unit_of_work
from app.modules.core.facade import ApiKeyInput, create_api_key
from app.modules.principal import Principal


def make_key(owner: Principal, *scopes: str, networks: tuple[str, ...] = ()) -> str:
    """A key with these permissions, or with all that its owner has."""
    with unit_of_work(owner.scope) as session:
        wanted = ApiKeyInput("Test", sorted(scopes or owner.permissions), networks)
        return create_api_key(session, owner, wanted).token


def owner_of(session: Session, company_id: UUID) -> UUID:
    """The first who owns a company. Needs the identity scope."""
    found = text("SELECT user_id FROM memberships WHERE company_id = :company_id ORDER BY id LIMIT 1")
    user_id: UUID = session.execute(found, {"company_id": company_id}).scalar_one()
    return user_id
