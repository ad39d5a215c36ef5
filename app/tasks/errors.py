"""Errors of background work."""

from app.core.errors import AppError, ConfigurationError, ConflictError, NotFoundError


class MissingTenantError(AppError):
    """A task that works for one vendor was dispatched without saying for which."""

    code = "tasks.missing_tenant"
    title = "This task needs a vendor"


class UnknownTaskError(ConfigurationError):
    """No installed module has a task of this name."""

    code = "tasks.unknown_task"


class JobNotFoundError(NotFoundError):
    """There is no such job, or it is another tenant's."""

    code = "tasks.job_not_found"
    title = "There is no such job"


class ScheduleNotFoundError(NotFoundError):
    """No installed module declares a schedule of this name."""

    code = "tasks.schedule_not_found"
    title = "There is no such schedule"


class CronError(AppError):
    """This is no schedule in cron's five fields."""

    code = "tasks.cron"
    title = "This is no schedule"


class JobStateError(ConflictError):
    """The job is not in a state in which this can be done."""

    code = "tasks.job_state"


class JobCancelledError(Exception):
    """Raised inside a task at its next checkpoint or report after a cancel was asked for; let it pass."""


class JobHeldError(JobCancelledError):
    """Raised before a task begins that may not run for its vendor now: the job ends cancelled and says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class StaleRunError(Exception):
    """This run lost its lease: another one may own the job now. Nothing more may be written; let it pass."""


class TimeLimitError(Exception):
    """The run took longer than its task allows."""
