"""Users, team members and roles in the API."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from app.modules.api import Input, ListQuery, Versioned, example, left_out

_WHEN = "2026-11-23T07:00:00Z"
_USER_ID, _MEMBER_ID = "usr_01m838cj1be8a8mtx8xj3yxfvz", "mbr_01m838cj1be8a8mtx8xj3yxfvz"
_ROLE_ID = "rol_01m838cj1be8a8mtx8xj3yxfvz"


class UserItem(BaseModel):
    """A user as lists show them."""

    model_config = example(
        id=_USER_ID,
        name="Anne Weber",
        email="anne@moselle.example",
        is_super_admin=False,
        has_two_step=True,
        is_active=True,
        last_sign_in_at=_WHEN,
    )

    id: str
    name: str
    email: str
    is_super_admin: bool
    has_two_step: bool
    is_active: bool
    last_sign_in_at: datetime | None


class Place(BaseModel):
    """Where a user belongs; a team member of a vendor has a role."""

    kind: str = Field(description="platform, company or vendor.")
    name: str
    role: str | None


class UserDetails(UserItem):
    """A user with their places."""

    model_config = example(
        id=_USER_ID,
        name="Anne Weber",
        email="anne@moselle.example",
        is_super_admin=False,
        has_two_step=True,
        is_active=True,
        last_sign_in_at=_WHEN,
        places=[{"kind": "company", "name": "Moselle Retail SARL", "role": None}],
    )

    places: list[Place]


class UserQuery(ListQuery):
    """Search, filters and order of the list of users."""

    q: str | None = Field(None, max_length=200)
    state: list[Literal["active", "deactivated"]] | None = Field(None, max_length=2)
    super_admin: list[Literal["yes", "no"]] | None = Field(None, max_length=2)
    sort: Literal["name", "-name", "email", "-email", "last_sign_in_at", "-last_sign_in_at"] = "name"


class MemberItem(BaseModel):
    """Somebody who works for the vendor. An owner has no role and may do everything."""

    model_config = example(
        id=_MEMBER_ID,
        name="Anne Weber",
        email="anne@moselle.example",
        role="Sales",
        is_owner=False,
        last_sign_in_at=_WHEN,
    )

    id: str
    name: str
    email: str
    role: str | None
    is_owner: bool
    last_sign_in_at: datetime | None


class MemberQuery(ListQuery):
    """Search and order of the list of team members."""

    q: str | None = Field(None, max_length=200)
    sort: Literal["name", "-name", "email", "-email", "last_sign_in_at", "-last_sign_in_at"] = "name"


class RoleItem(BaseModel):
    """A role as lists show it."""

    model_config = example(id=_ROLE_ID, name="Sales", allows=4, members=2, updated_at=_WHEN)

    id: str
    name: str
    allows: int = Field(description="How many permissions it has.")
    members: int
    updated_at: datetime


class RoleDetails(Versioned):
    """A role."""

    model_config = example(
        id=_ROLE_ID, name="Sales", permissions=["catalog.products.view"], updated_at=_WHEN, version=1
    )

    id: str
    name: str
    permissions: list[str]
    updated_at: datetime


class RoleQuery(ListQuery):
    """Search and order of the list of roles."""

    q: str | None = Field(None, max_length=200)
    sort: Literal["name", "-name", "updated_at", "-updated_at"] = "name"


class NewRole(Input):
    """A role to be made, with no more permissions than the key has."""

    model_config = example(name="Catalogue", permissions=["catalog.products.view"])

    name: str = Field(min_length=1, max_length=60, pattern=r"\S")
    permissions: list[str] = Field(max_length=200)


class RoleChange(Input):
    """What is to be different; what is left out stays."""

    model_config = example(name="Catalogue and feeds")

    name: str = left_out(min_length=1, max_length=60, pattern=r"\S")
    permissions: list[str] = left_out(max_length=200)
