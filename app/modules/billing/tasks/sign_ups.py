"""Mails of sign-ups, and forgetting those that nobody finished."""

from urllib.parse import quote
from uuid import UUID

from celery import shared_task

from app.core.config import get_settings
from app.core.database import IdentityScope, acting_in
from app.core.i18n import format_datetime, translate
from app.core.mail import Mail
from app.modules.billing.models.sign_up import SignUp
from app.modules.billing.services import sign_up_service
from app.modules.mailing import send_mail
from app.modules.task_base import ModuleTask
from app.modules.tenancy.facade import has_account


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=8)
def send_sign_up_link(self: ModuleTask, sign_up_id: str) -> None:
    """Mail the link that leads on, unless the sign-up is finished or over."""
    with self.get_db() as session:
        with acting_in(session, IdentityScope()):
            row = session.get(SignUp, UUID(sign_up_id))
            if row is None or row.finished_at is not None:
                return
            is_known = has_account(session, row.email)
            token = sign_up_service.link_token(row)
        link = f"{get_settings().base_url.rstrip('/')}/sign-up/continue?token={quote(token)}"
        until = format_datetime(row.language, row.expires_at, "Europe/Luxembourg")
        kind = "known" if is_known else "new"
        text = translate(row.language, f"billing.mail.sign_up_{kind}", link=link, until=until)
        send_mail(
            self, session, Mail(row.email, translate(row.language, "billing.mail.sign_up_subject"), text)
        )


@shared_task(base=ModuleTask, bind=True, scope="platform")
def delete_old_sign_ups(self: ModuleTask) -> dict[str, int]:
    """Forget sign-ups after a week; returns ``{"deleted": n}``."""
    with self.get_db() as session, acting_in(session, IdentityScope()):
        return {"deleted": sign_up_service.delete_over(session)}
