"""Mails to shops of directories."""

from uuid import UUID

from celery import shared_task

from app.modules.mailing import send_mail
from app.modules.marketplace.models.directory_shop import ListedShop
from app.modules.marketplace.services import directory_invite_service, directory_service
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=8)
def invite_shop(self: ModuleTask, shop_id: str) -> None:
    """Mail a shop what we offer, unless it is ours by now."""
    with self.get_db() as session:
        row = session.get(ListedShop, UUID(shop_id))
        names = {one.code: one.name for one in directory_service.directories()}
        marketplace = names.get(row.connector, row.connector) if row else ""
        mail = directory_invite_service.invitation(session, UUID(shop_id), marketplace)
        if mail is not None:
            send_mail(self, session, mail)
