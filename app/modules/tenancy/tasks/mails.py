"""Mails of tenancy. A mail may come twice after a crash, never not at all."""

from urllib.parse import quote
from uuid import UUID

from celery import shared_task

from app.core.config import get_settings
from app.core.database import IdentityScope, acting_in
from app.core.i18n import format_datetime, translate
from app.core.mail import Mail
from app.modules.mailing import send_mail
from app.modules.task_base import ModuleTask
from app.modules.tenancy.models.user import Invitation, User
from app.modules.tenancy.services import invitation_service, password_service


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=8)
def send_invitation(self: ModuleTask, invitation_id: str) -> None:
    """Mail the link of an invitation, unless it was accepted or taken back meanwhile."""
    with self.get_db() as session:
        with acting_in(session, IdentityScope()):
            invitation = session.get(Invitation, UUID(invitation_id))
            if invitation is None or invitation.accepted_at or invitation.revoked_at:
                return
            token = invitation_service.link_token(invitation)
            offer = invitation_service.find_offer(session, token)
        mail = _mail(
            invitation.email,
            invitation.language,
            "invitation",
            place=offer.place,
            link=_link("/invitation", token),
            until=format_datetime(invitation.language, invitation.expires_at, "Europe/Luxembourg"),
        )
        send_mail(self, session, mail)


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=3)
def send_password_reset(self: ModuleTask, user_id: str | None, language: str) -> None:
    """Mail the link to set a new password; for an address that nobody has there is nothing to do."""
    if user_id is None:
        return
    with self.get_db() as session:
        with acting_in(session, IdentityScope()):
            user = session.get_one(User, UUID(user_id))
            token = password_service.reset_token(user)
        mail = _mail(
            user.email,
            user.language or language,
            "reset",
            name=user.name,
            link=_link("/reset-password", token),
        )
        send_mail(self, session, mail)


def _link(path: str, token: str) -> str:
    return f"{get_settings().base_url.rstrip('/')}{path}?token={quote(token)}"


def _mail(to: str, language: str, kind: str, **params: str) -> Mail:
    subject = translate(language, f"tenancy.mail.{kind}_subject", **params)
    return Mail(to, subject, translate(language, f"tenancy.mail.{kind}_text", **params))
