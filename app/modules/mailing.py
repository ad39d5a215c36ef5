"""Sending a mail from a task. That mail does not go out stands among the operator's problems until one does."""

from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.database import SYSTEM, acting_in
from app.core.errors import AppError
from app.core.mail import Mail, get_mail_sender
from app.modules.problems import Problem, clear_problem, report_problem
from app.modules.task_base import ModuleTask

_KEY = "framework.mail"
_CRITICAL_AFTER = 5


def send_mail(task: ModuleTask, session: Session, mail: Mail) -> None:
    """Hand a mail to the mail server, with no transaction of the task open meanwhile. Raises as the sender does."""
    task.checkpoint("sending", 0, 1)
    try:
        get_mail_sender(get_settings()).send(mail)
    except AppError as error:
        problem = Problem(_KEY, "ui.problems.mail", detail=error.detail, critical_after=_CRITICAL_AFTER)
        with acting_in(session, SYSTEM):
            report_problem(session, problem)
        task.checkpoint("failed", 0, 1)
        raise
    with acting_in(session, SYSTEM):
        clear_problem(session, _KEY)
