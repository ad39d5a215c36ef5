"""The caller, and the platform's modules, in the API."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.modules.api import Input, example


class KeyInfo(BaseModel):
    """The key of a request."""

    model_config = example(
        key_id="key_01m838cj1be8a8mtx8xj3yxfvz",
        name="Stock system",
        area="vendor",
        vendor_id="vnd_01m838cj1be8a8mtx8xj3yxfvz",
        vendor_code="MOSELLE",
        permissions=["catalog.products.view"],
        requests_per_minute=600,
        time="2026-11-23T07:00:00Z",
    )

    key_id: str
    name: str
    area: str
    vendor_id: str | None
    vendor_code: str | None
    permissions: list[str] = Field(description="What the key may do now.")
    requests_per_minute: int
    time: datetime = Field(description="Of the server.")


class ModuleItem(BaseModel):
    """A module, and where it is on."""

    model_config = example(
        code="catalog",
        name="Catalog",
        description="What a vendor sells.",
        tier="optional",
        version="0.1.0",
        requires=[],
        is_installed=True,
        platform_ids=["plt_01m838cj1be8a8mtx8xj3yxfvz"],
    )

    code: str
    name: str
    description: str
    tier: str = Field(description="core (always on), optional or internal.")
    version: str
    requires: list[str]
    is_installed: bool
    platform_ids: list[str] = Field(description="Where it is on, of the platforms that the key may see.")


class ModuleList(BaseModel):
    """All modules, in order of dependence."""

    model_config = example(
        data=[
            {
                "code": "catalog",
                "name": "Catalog",
                "description": "What a vendor sells.",
                "tier": "optional",
                "version": "0.1.0",
                "requires": [],
                "is_installed": True,
                "platform_ids": ["plt_01m838cj1be8a8mtx8xj3yxfvz"],
            }
        ]
    )

    data: list[ModuleItem]


class ModuleSwitch(Input):
    """Whether the module is to be on for the platform."""

    model_config = example(is_enabled=True)

    is_enabled: bool = Field(strict=True)


class SwitchedModules(BaseModel):
    """What was switched: the module, and what it requires."""

    model_config = example(switched=["catalog", "marketplace"])

    switched: list[str]
