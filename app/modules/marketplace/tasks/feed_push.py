"""Telling marketplaces what changed in the catalogue and in stock."""

from contextlib import closing
from typing import Any
from uuid import UUID

from celery import shared_task
from sqlalchemy.orm import Session

from app.core.errors import UnavailableError
from app.modules.marketplace.exceptions import ChannelNotConfiguredError, ChannelUnavailableError
from app.modules.marketplace.services import feed_push_service
from app.modules.marketplace.services.connection_service import get_connection, open_line, write_calls
from app.modules.task_base import ModuleTask


@shared_task(base=ModuleTask, bind=True, scope="vendor", in_read_only=False)
def note_changed(self: ModuleTask) -> None:
    """Have the vendor's marketplaces told, soon and once, that levels changed."""
    with self.get_db() as session:
        feed_push_service.note_changed(session)


@shared_task(base=ModuleTask, bind=True, scope="vendor", time_limit_seconds=1800.0, in_read_only=False)
def push_changes(self: ModuleTask, connection_id: str, is_again: bool = False) -> dict[str, Any]:
    """Write the feeds anew, send those that changed (``is_again``: all), and tell the marketplace of files and levels.

    Returns what became of each language's file, and of how many products the level was told. Progress counts files.
    """
    key = UUID(connection_id)
    with self.get_db() as session:
        connector = feed_push_service.begin(session, key)
        if connector is None:
            return {"files": {}, "levels": 0}
        files = _write(self, session, is_again=is_again)
        try:
            push = feed_push_service.collect(session, connector, str(self.job.id))
            line = open_line(session, get_connection(session, key))
            self.checkpoint(files, len(files), len(files))  # no transaction is open during the calls
            with closing(line):
                push.tell(line)
            write_calls(session, line)
            return {"files": files, "levels": len(push.levels or ())}
        except ChannelNotConfiguredError:
            return {"files": files, "levels": 0}
        except ChannelUnavailableError as error:
            raise UnavailableError(str(error)) from None


def _write(task: ModuleTask, session: Session, *, is_again: bool) -> dict[str, str]:
    languages = feed_push_service.list_languages(session)
    files: dict[str, str] = dict(task.job.checkpoint or {})
    task.checkpoint(files, len(files), len(languages))
    for language in languages:
        if language not in files:
            files[language] = feed_push_service.write_file(
                session, language, job_id=task.job.id, is_again=is_again
            )
            task.checkpoint(files, len(files), len(languages))
    return files
