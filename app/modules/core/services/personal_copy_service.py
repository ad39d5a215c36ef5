"""Copies of personal data outside of the tables: exported lists, and mails in the outbox folder."""

from collections.abc import Iterable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.database import SYSTEM, acting_in, after_commit
from app.core.storage import get_storage
from app.modules.core.models.list_job import ListJob
from app.modules.personal import Person

_SHORTEST_NAME = 3


class Copies:
    """What the core module keeps of a person beside the tables."""

    @staticmethod
    def erase(session: Session, person: Person) -> int:
        """Exported lists of the vendor and the operator that have the person in them, and mails to the person."""
        storage, words = get_storage(get_settings()), _words(person)
        gone = 0
        with acting_in(session, SYSTEM):
            exports = session.scalars(
                select(ListJob).where(
                    ListJob.storage_key.is_not(None),
                    or_(ListJob.vendor_id == person.vendor_id, ListJob.vendor_id.is_(None)),
                )
            ).all()
            for row in exports:
                key = row.storage_key or ""
                if storage.exists(key) and _is_in(storage.path(key), words):
                    after_commit(session, lambda key=key: storage.delete(key))  # type: ignore[misc]
                    row.storage_key = None
                    gone += 1
            session.flush()
        for mail in _mails(person):
            after_commit(session, lambda mail=mail: mail.unlink(missing_ok=True))  # type: ignore[misc]
            gone += 1
        return gone

    @staticmethod
    def export(_session: Session, person: Person) -> Iterable[tuple[str, bytes]]:
        """The mails; lists are copies of rows."""
        for mail in _mails(person):
            yield f"mails/{mail.name}", mail.read_bytes()


def _words(person: Person) -> tuple[str, ...]:
    words = {*person.handles, *person.public_ids, *(text.lower() for text in person.texts)}
    return tuple(word for word in words if len(word) >= _SHORTEST_NAME)


def _is_in(path: Path, words: tuple[str, ...]) -> bool:
    with path.open(encoding="utf-8", errors="replace") as lines:
        return any(word in line for line in map(str.lower, lines) for word in words)


def _mails(person: Person) -> Iterator[Path]:
    """Mails in the folder that stands for a mail server where none is set, which name one of the person's handles."""
    outbox = get_settings().data_dir / "outbox"
    for path in sorted(outbox.glob("*.eml")) if outbox.is_dir() else ():
        if any(handle in _text_of(path) for handle in person.handles):
            yield path


def _text_of(path: Path) -> str:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    parts = [str(part.get_content()) for part in message.walk() if part.get_content_maintype() == "text"]
    return "\n".join([str(message["To"]), str(message["Subject"]), *parts]).lower()
