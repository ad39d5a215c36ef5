"""Keys for tests and benchmarks, as the key pages make them."""

from app.core.database import unit_of_work
from app.modules.core.facade import ApiKeyInput, create_api_key
from app.modules.principal import Principal


def make_key(owner: Principal, *scopes: str, networks: tuple[str, ...] = ()) -> str:
    """A key with these permissions, or with all that its owner has."""
    with unit_of_work(owner.scope) as session:
        wanted = ApiKeyInput("Test", sorted(scopes or owner.permissions), networks)
        return create_api_key(session, owner, wanted).token
