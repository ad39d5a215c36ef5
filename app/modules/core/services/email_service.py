"""Notifications as mails."""

from urllib.parse import urljoin
from uuid import UUID

from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.i18n import translate
from app.core.mail import Mail
from app.modules.core.models.notification import Notification
from app.modules.tenancy.facade import find_users


def compose(session: Session, notification_id: UUID) -> Mail | None:
    """The mail to the person, in their language; None when the notification or the person is no longer there."""
    notification = session.get(Notification, notification_id)
    if notification is None:
        return None
    person = next(iter(find_users(session, [notification.user_id])), None)
    if person is None:
        return None
    language = person.language or get_settings().default_language
    title = translate(language, notification.title_key, **notification.params)
    parts = [translate(language, "core.email.greeting", name=person.name), title, notification.text]
    if notification.url:
        parts.append(urljoin(get_settings().base_url, notification.url))
    parts.append(translate(language, "core.email.why"))
    return Mail(person.email, title, "\n\n".join(part for part in parts if part) + "\n")
