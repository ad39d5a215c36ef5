"""Products in the API."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from app.modules.api import Cents, Input, ListQuery, Versioned, WebAddress, example, left_out
from app.modules.catalog.enums import Availability, ProductKind, TaxClass

ProductSort = Literal[
    "sku", "-sku", "brand", "-brand", "price_cents", "-price_cents", "updated_at", "-updated_at"
]
_MONEY = {"amount_cents": 2490, "currency": "EUR"}
_ITEM: dict[str, Any] = {
    "id": "prd_01m838cj1be8a8mtx8xj3yxfvz",
    "sku": "SKU-1",
    "title": "Parapluie pliable, bleu",
    "gtin": "6291041500213",
    "brand": "Schmitz",
    "availability": "in_stock",
    "price": _MONEY,
    "sale_price": None,
    "is_active": True,
    "updated_at": "2026-11-23T07:00:00.000000Z",
    "version": 3,
}
_TEXT: dict[str, Any] = {
    "language": "fr",
    "title": "Parapluie pliable, bleu",
    "description": "Parapluie compact.",
    "link": "https://shop.example/parapluie",
    "edited_fields": [],
}
Line = Annotated[str, StringConstraints(strip_whitespace=True)]
TITLE: dict[str, Any] = {"min_length": 1, "max_length": 150, "pattern": r"\S"}
BRAND: dict[str, Any] = {"min_length": 1, "max_length": 70, "pattern": r"\S"}
GTIN: dict[str, Any] = {"max_length": 50, "json_schema_extra": {"format": "gtin"}}


class Money(BaseModel):
    """An amount."""

    amount_cents: int = Field(description="In the smallest unit of the currency.")
    currency: str = Field(description="ISO 4217.")


class ProductItem(Versioned):
    """A product as lists show it."""

    model_config = example(**_ITEM)

    id: str
    sku: str = Field(description="The id that feeds know the product by.")
    title: str = Field(description="In the caller's language where there is one, else in another.")
    gtin: str | None = Field(description="8, 12, 13 or 14 digits.")
    brand: str | None
    availability: Availability | None
    price: Money
    sale_price: Money | None
    is_active: bool
    updated_at: datetime


class ProductText(BaseModel):
    """A product's texts in one language."""

    language: str
    title: str
    description: str | None
    link: str | None
    edited_fields: list[str]


class ProductDetails(ProductItem):
    """All of a product."""

    model_config = example(
        **_ITEM
        | {
            "mpn": None,
            "condition": "new",
            "availability_date": None,
            "sale_starts_at": None,
            "sale_ends_at": None,
            "image_link": "https://shop.example/parapluie.jpg",
            "additional_image_links": [],
            "item_group_id": None,
            "product_type": "Accessoires",
            "google_category": None,
            "color": "bleu",
            "size": None,
            "gender": None,
            "age_group": None,
            "material": None,
            "pattern": None,
            "attributes": {},
            "edited_fields": ["price_cents"],
            "tax_class": "standard",
            "kind": "physical",
            "archived_at": None,
            "created_at": "2026-11-20T07:00:00.000000Z",
            "texts": [_TEXT],
        }
    )

    mpn: str | None
    condition: str | None
    availability_date: date | None
    sale_starts_at: datetime | None
    sale_ends_at: datetime | None
    image_link: str | None
    additional_image_links: list[str]
    item_group_id: str | None
    product_type: str | None
    google_category: str | None
    color: str | None
    size: str | None
    gender: str | None
    age_group: str | None
    material: str | None
    pattern: str | None
    attributes: dict[str, Any] = Field(description="Further fields of the feed, by name.")
    edited_fields: list[str] = Field(description="Fields that no longer follow the feed.")
    tax_class: TaxClass = Field(description="Which of a state's VAT rates it bears.")
    kind: ProductKind
    archived_at: datetime | None
    created_at: datetime
    texts: list[ProductText]


class ProductQuery(ListQuery):
    """Search, filters and order of the list of products."""

    q: str | None = Field(
        None, max_length=200, description="Words that title, SKU, GTIN or brand begin with."
    )
    availability: list[Availability] | None = Field(None, max_length=4)
    active: list[Literal["yes", "no"]] | None = Field(None, max_length=2)
    brand: str | None = Field(None, max_length=100)
    missing: list[Literal["gtin", "image_link", "brand"]] | None = Field(
        None, max_length=3, description="Products without a value in any of these."
    )
    sort: ProductSort = Field("sku", description="With `-` in front: descending.")


class TextChange(Input):
    """What is to be different of the texts in one language. A language that has texts keeps a title."""

    model_config = example(title="Parapluie pliant, bleu")

    title: Line = left_out(**TITLE)
    description: str | None = left_out(max_length=5000)


class TextChanges(Input):
    """Texts by language; a language that is left out stays as it is."""

    model_config = example(fr={"title": "Parapluie pliant, bleu"})

    en: TextChange = left_out()
    fr: TextChange = left_out()
    de: TextChange = left_out()
    lb: TextChange = left_out()


class ProductChange(Input):
    """What is to be different: what is left out stays, null empties. A changed field no longer follows the feed."""

    model_config = example(price_cents=1990, brand=None, texts={"fr": {"title": "Parapluie pliant, bleu"}})

    is_active: bool = left_out(strict=True)
    availability: Availability | None = left_out()
    price_cents: Cents = left_out()
    sale_price_cents: Cents | None = left_out()
    brand: Line | None = left_out(**BRAND)
    gtin: str | None = left_out(**GTIN)
    image_link: WebAddress | None = left_out()
    tax_class: TaxClass = left_out()
    kind: ProductKind = left_out()
    texts: TextChanges = left_out()


class ProductState(Versioned):
    """What can be changed of a product, as it is now."""

    model_config = example(
        id=_ITEM["id"],
        version=4,
        is_active=True,
        availability="out_of_stock",
        price_cents=1990,
        sale_price_cents=None,
        currency="EUR",
        brand=None,
        gtin="6291041500213",
        image_link="https://shop.example/parapluie.jpg",
        tax_class="standard",
        kind="physical",
        texts=[_TEXT],
        edited_fields=["availability", "price_cents"],
        updated_at=_ITEM["updated_at"],
    )

    id: str
    is_active: bool
    availability: Availability | None
    price_cents: int
    sale_price_cents: int | None
    currency: str
    brand: str | None
    gtin: str | None
    image_link: str | None
    tax_class: TaxClass
    kind: ProductKind
    texts: list[ProductText]
    edited_fields: list[str]
    updated_at: datetime
