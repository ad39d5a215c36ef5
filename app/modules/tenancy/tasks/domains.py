"""Asking hosts whose they are."""

from typing import Any
from uuid import UUID

from celery import shared_task

from app.modules.task_base import ModuleTask
from app.modules.tenancy.services import domain_service


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=60.0)
def verify_domain(self: ModuleTask, domain_id: str) -> dict[str, Any]:
    """Look for the proof in the DNS and on the vendor's host; returns ``{"failure": code or None}``."""
    with self.get_db() as session:
        domain = domain_service.get_domain(session, UUID(domain_id))
        name, url = domain_service.record_name(domain), domain_service.proof_url(domain)
        token = domain.token
        self.checkpoint("asking", 0, 1)  # no transaction is open while the host answers
        failure = domain_service.find_proof(name, url, token)
        domain_service.note_check(session, UUID(domain_id), failure)
    return {"failure": failure}
