"""Invitations in the API."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.modules.api import Input, ListQuery, example, id_pattern

Language = Literal["en", "fr", "de", "lb"]
State = Literal["waiting", "expired", "accepted", "revoked"]
_Email = Annotated[str, Field(max_length=200, json_schema_extra={"format": "email"})]


class InvitationItem(BaseModel):
    """Somebody asked to join."""

    model_config = example(
        id="inv_01m838cj1be8a8mtx8xj3yxfvz",
        email="anne@moselle.example",
        leads_to="Sales",
        state="waiting",
        created_at="2026-11-23T07:00:00Z",
        expires_at="2026-11-30T07:00:00Z",
    )

    id: str
    email: str
    leads_to: str | None = Field(
        description="Name of the role in the vendor's team (null: an owner), or of the company or platform."
    )
    state: State
    created_at: datetime
    expires_at: datetime


class InvitationQuery(ListQuery):
    """Search, filter and order of the list of invitations."""

    q: str | None = Field(None, max_length=200)
    state: list[State] | None = Field(None, max_length=4)
    sort: Literal["email", "-email", "created_at", "-created_at", "expires_at", "-expires_at"] = "-created_at"


class NewOwnerInvitation(Input):
    """Whom to ask, and in which language."""

    model_config = example(email="anne@moselle.example", language="fr")

    email: _Email
    language: Language = "fr"


class NewTeamInvitation(NewOwnerInvitation):
    """Whom to ask to join a vendor's team, with which role."""

    model_config = example(
        email="anne@moselle.example", language="fr", role_id="rol_01m838cj1be8a8mtx8xj3yxfvz"
    )

    role_id: str = Field(pattern=id_pattern("rol"))


class NewOperatorInvitation(NewOwnerInvitation):
    """Whom to ask to work for the operator, with which role, and where."""

    model_config = example(
        email="anne@wizamart.example", language="en", operator_role_id="orl_01m838cj1be8a8mtx8xj3yxfvz"
    )

    operator_role_id: str = Field(pattern=id_pattern("orl"))
    platform_id: str | None = Field(
        None, pattern=id_pattern("plt"), description="Where the role counts; null: on all platforms."
    )
