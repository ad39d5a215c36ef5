"""What a document's page is made of, the vendor's and the operator's."""

from typing import Any

from app.core.i18n import format_money
from app.core.ids import to_public
from app.modules.orders.models.document import Document
from app.modules.orders.services import document_list_service, document_paper_service
from app.modules.orders.services.document_list_service import PREFIX
from app.modules.orders.services.document_paper_service import country_name
from app.modules.pagekit.details import Block, Fact
from app.modules.pages import PageContext

TONES = {"draft": "neutral", "refused": "danger", "issued": "success"}
KINDS = ("invoice", "credit_note")


def document_blocks(ctx: PageContext, found: Document) -> list[Block]:
    """What it charges, whom, and under which terms."""
    written = document_paper_service.read(ctx.session, found)
    context = {"written": written, "money": _money_of(ctx, found), "rate": _rate_of(ctx)}
    return [
        Block(
            "lines",
            ctx.t("orders.documents.lines"),
            template="orders/documents/lines.html",
            context=context,
            order=10,
            is_flush=True,
        ),
        Block(
            "taxes",
            ctx.t("orders.documents.taxes"),
            template="orders/documents/taxes.html",
            context=context,
            order=20,
        ),
        Block("facts", ctx.t("orders.documents.facts"), _facts(ctx, found), column="side", order=10),
        Block("buyer", ctx.t("orders.document_fields.buyer"), _buyer(ctx, found), column="side", order=20),
    ]


def _money_of(ctx: PageContext, found: Document) -> Any:
    return lambda cents: format_money(ctx.language, cents, found.currency)


def _rate_of(ctx: PageContext) -> Any:
    return lambda basis_points: document_paper_service.percent(ctx.language, basis_points)


def _facts(ctx: PageContext, found: Document) -> list[Fact]:
    order_url = ctx.url(f"orders.{ctx.area}.order", order_id=to_public("ord", found.order_id))
    facts = [
        Fact(ctx.t("orders.document_fields.order"), found.order_number, "link", order_url),
        Fact(ctx.t("orders.document_fields.issued_on"), found.issued_on, "date"),
        Fact(ctx.t("orders.document_fields.supplied_on"), found.supplied_on, "date"),
        Fact(ctx.t("orders.document_fields.due_on"), found.due_on, "date"),
        Fact(ctx.t("orders.document_fields.regime"), ctx.t(f"orders.regimes.{found.regime}")),
        Fact(ctx.t("orders.document_fields.language"), ctx.t(f"core.languages.{found.language}")),
    ]
    if found.corrects_id is not None:
        corrected = document_list_service.get_document(ctx.session, found.corrects_id).row
        url = ctx.url(f"orders.{ctx.area}.document", document_id=to_public(PREFIX, corrected.id))
        facts.append(Fact(ctx.t("orders.document_fields.corrects"), corrected.number, "link", url))
    if found.reason:
        facts.append(Fact(ctx.t("orders.document_fields.reason"), found.reason))
    if found.pdf_sha256:
        facts.append(Fact(ctx.t("orders.document_fields.sha256"), found.pdf_sha256, "code"))
    return facts


def _buyer(ctx: PageContext, found: Document) -> list[Fact]:
    buyer = found.buyer
    town = " ".join(filter(None, [buyer.get("postcode"), buyer.get("city")]))
    parts = (buyer.get("name"), buyer.get("contact"), buyer.get("line1"), buyer.get("line2"), town)
    facts = [Fact(ctx.t("orders.document_fields.address"), ", ".join(filter(None, parts)) or None)]
    facts.append(Fact(ctx.t("orders.document_fields.country"), country_name(ctx.language, buyer["country"])))
    if "vat_number" in buyer:
        facts.append(Fact(ctx.t("orders.document_fields.vat_number"), buyer["vat_number"], "code"))
    return facts
