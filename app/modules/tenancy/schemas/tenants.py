"""Companies, vendors and platforms in the API."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from app.modules.api import Input, ListQuery, Versioned, example, id_pattern, left_out

Language = Literal["en", "fr", "de", "lb"]
State = Literal["active", "held"]
_TEXT = r"\S"  # something besides spaces
_CODE = r"^[A-Za-z0-9][A-Za-z0-9_-]{1,31}$"
_WHEN = "2026-11-23T07:00:00Z"
_COMPANY_ID, _VENDOR_ID = "cmp_01m838cj1be8a8mtx8xj3yxfvz", "vnd_01m838cj1be8a8mtx8xj3yxfvz"
_PLATFORM_ID = "plt_01m838cj1be8a8mtx8xj3yxfvz"


class TenantItem(BaseModel):
    """What lists show of a company, a vendor or a platform."""

    id: str
    name: str
    is_active: bool
    created_at: datetime


class TenantDetails(Versioned):
    """What a company, a vendor and a platform have alike."""

    id: str
    name: str
    is_active: bool
    suspended_reason: str | None
    created_at: datetime
    updated_at: datetime


class CompanyItem(TenantItem):
    """A company as lists show it."""

    model_config = example(
        id=_COMPANY_ID,
        name="Moselle Retail SARL",
        contact_email="office@moselle.example",
        tax_number="LU12345678",
        is_active=True,
        vendors=2,
        created_at=_WHEN,
    )

    contact_email: str
    tax_number: str | None
    vendors: int = Field(description="How many vendors it has.")


class CompanyDetails(TenantDetails):
    """A company."""

    model_config = example(
        id=_COMPANY_ID,
        name="Moselle Retail SARL",
        contact_email="office@moselle.example",
        tax_number="LU12345678",
        is_active=True,
        suspended_reason=None,
        created_at=_WHEN,
        updated_at=_WHEN,
        version=1,
    )

    contact_email: str
    tax_number: str | None


class CompanyQuery(ListQuery):
    """Search, filters and order of the list of companies."""

    q: str | None = Field(None, max_length=200)
    state: list[State] | None = Field(None, max_length=2)
    sort: Literal["name", "-name", "contact_email", "-contact_email", "created_at", "-created_at"] = "name"


class NewCompany(Input):
    """A company to be made."""

    model_config = example(name="Kayl Books SA", contact_email="office@kayl.example", tax_number=None)

    name: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    contact_email: str = Field(min_length=3, max_length=200, pattern=r"^[!-?A-~]+@[!-?A-~]+$")
    tax_number: str | None = Field(None, max_length=40)


class CompanyChange(Input):
    """What is to be different; what is left out stays."""

    model_config = example(contact_email="new@moselle.example")

    name: str = left_out(min_length=1, max_length=200, pattern=_TEXT)
    contact_email: str = left_out(min_length=3, max_length=200, pattern=r"^[!-?A-~]+@[!-?A-~]+$")
    tax_number: str | None = left_out(max_length=40)


class VendorItem(TenantItem):
    """A vendor as lists show it."""

    model_config = example(
        id=_VENDOR_ID,
        code="MOSELLE",
        name="Moselle Mode",
        company="Moselle Retail SARL",
        platforms=["Letzshop"],
        default_language="fr",
        is_active=True,
        created_at=_WHEN,
    )

    code: str
    company: str
    platforms: list[str] = Field(description="Names.")
    default_language: str


class VendorDetails(TenantDetails):
    """A vendor."""

    model_config = example(
        id=_VENDOR_ID,
        code="MOSELLE",
        name="Moselle Mode",
        company_id=_COMPANY_ID,
        platform_ids=[_PLATFORM_ID],
        subdomain="moselle",
        default_language="fr",
        dashboard_language="fr",
        is_active=True,
        suspended_reason=None,
        created_at=_WHEN,
        updated_at=_WHEN,
        version=1,
    )

    code: str
    company_id: str
    platform_ids: list[str]
    subdomain: str
    default_language: str
    dashboard_language: str


class VendorQuery(ListQuery):
    """Search, filters and order of the list of vendors."""

    q: str | None = Field(None, max_length=200)
    state: list[State] | None = Field(None, max_length=2)
    language: list[Language] | None = Field(None, max_length=4)
    sort: Literal["name", "-name", "code", "-code", "company", "-company", "created_at", "-created_at"] = (
        "name"
    )


class NewVendor(Input):
    """A vendor to be made. Its code is stored in capitals and can never be another."""

    model_config = example(
        company_id=_COMPANY_ID,
        platform_ids=[_PLATFORM_ID],
        code="KAYL",
        name="Kayl Books",
        default_language="fr",
    )

    company_id: str = Field(pattern=id_pattern("cmp"))
    platform_ids: list[Annotated[str, Field(pattern=id_pattern("plt"))]] = Field(min_length=1, max_length=100)
    code: str = Field(pattern=_CODE)
    name: str = Field(min_length=1, max_length=200, pattern=_TEXT)
    default_language: Language = "fr"


class VendorChange(Input):
    """What is to be different; what is left out stays."""

    model_config = example(name="Moselle Mode & Maison", default_language="de")

    name: str = left_out(min_length=1, max_length=200, pattern=_TEXT)
    default_language: Language = left_out()
    dashboard_language: Language = left_out()


class PlatformItem(TenantItem):
    """A platform as lists show it."""

    model_config = example(
        id=_PLATFORM_ID, code="letzshop", name="Letzshop", is_active=True, vendors=12, created_at=_WHEN
    )

    code: str
    vendors: int = Field(description="How many vendors are on it.")


class PlatformDetails(TenantDetails):
    """A platform."""

    model_config = example(
        id=_PLATFORM_ID,
        code="letzshop",
        name="Letzshop",
        is_active=True,
        suspended_reason=None,
        created_at=_WHEN,
        updated_at=_WHEN,
        version=1,
    )

    code: str


class PlatformQuery(ListQuery):
    """Search, filters and order of the list of platforms."""

    q: str | None = Field(None, max_length=200)
    state: list[State] | None = Field(None, max_length=2)
    sort: Literal["name", "-name", "code", "-code", "created_at", "-created_at"] = "name"


class NewPlatform(Input):
    """A platform to be made. Its code is stored in small letters and can never be another."""

    model_config = example(code="letzshop", name="Letzshop")

    code: str = Field(pattern=_CODE)
    name: str = Field(min_length=1, max_length=200, pattern=_TEXT)


class PlatformChange(Input):
    """What is to be different; what is left out stays."""

    model_config = example(name="Letzshop Luxembourg")

    name: str = left_out(min_length=1, max_length=200, pattern=_TEXT)
