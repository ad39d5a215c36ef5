"""The audit log, for the operator."""

from app.modules.pagekit.list_page import mount_list
from app.modules.pagekit.lists import Column, Filter, ListSpec
from app.modules.routing import AreaRouter
from app.modules.tenancy.models.audit import AuditEntry
from app.modules.tenancy.services import audit_service

router = AreaRouter("admin")

mount_list(
    router,
    ListSpec(
        page_id="tenancy.admin.audit",
        texts="tenancy.audit",
        select=lambda _session, _language: audit_service.select_entries(),
        enrich=audit_service.with_names,
        key=AuditEntry.id,
        columns=(
            Column("action", "tenancy.fields.act", text_prefix="audit", sort=AuditEntry.action, is_wide=True),
            Column("at", "tenancy.fields.at", "datetime", sort=AuditEntry.at),
            Column("who", "tenancy.fields.who"),
            Column("vendor", "tenancy.fields.vendor"),
            Column("target", "tenancy.fields.target", "code"),
            Column("details", "tenancy.fields.details", value=audit_service.details_text, is_default=False),
            Column("ip", "tenancy.fields.ip", "code", is_default=False),
            Column("request_id", "tenancy.fields.request_id", "code", is_default=False),
        ),
        default_sort="-at",
        search=audit_service.matching,
        filters=(
            Filter("from", "tenancy.fields.from", audit_service.since, kind="date_from"),
            Filter("to", "tenancy.fields.to", audit_service.until, kind="date_to"),
            Filter(
                "subject",
                "tenancy.fields.subject",
                audit_service.about,
                options=[(name, f"tenancy.audit_subjects.{name}") for name in audit_service.SUBJECTS],
            ),
        ),
        icon="scroll-text",
    ),
)
