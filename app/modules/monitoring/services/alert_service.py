"""What monitoring tells outside of its own pages: the strip above every page, the home page, the command palette."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.core.i18n import ntranslate
from app.core.ids import to_public
from app.core.observability import HealthStatus
from app.modules.core.contracts import WorkItem
from app.modules.monitoring.services.job_service import JOB_PREFIX, key_of, short_name
from app.modules.pagekit.points import PaletteItem
from app.modules.pages import PageContext
from app.modules.shell import Alert
from app.tasks import overview
from app.tasks.models import Job

_JOBS, _WORKERS = "monitoring.jobs.view", "monitoring.workers.view"


def alerts(ctx: PageContext) -> Sequence[Alert]:
    """For admins: queues that are not served, and jobs that failed in the last hour."""
    if ctx.area != "admin":
        return ()
    found = []
    if _WORKERS in ctx.who.permissions and (late := overview.late_queues(ctx.session)):
        worst = late[0]
        found.append(
            Alert(
                "monitoring.late_queue",
                "danger" if worst.status is HealthStatus.FAILED else "warning",
                ctx.t("monitoring.alerts.late_queue", queue=worst.queue, minutes=round(worst.seconds / 60)),
                ctx.url("monitoring.admin.workers"),
                ctx.t("monitoring.pages.workers"),
            )
        )
    if _JOBS in ctx.who.permissions and (count := overview.failed_lately(ctx.session)):
        found.append(
            Alert(
                "monitoring.failed_jobs",
                "warning",
                ntranslate(ctx.language, "monitoring.alerts.failed_jobs", count),
                ctx.url("monitoring.admin.jobs", state="failed"),
                ctx.t("monitoring.alerts.show"),
            )
        )
    return found


def worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """For the operator's home page: queues that stand still, and what failed in the last hour."""
    if ctx.area != "admin":
        return ()
    found = []
    if _WORKERS in ctx.who.permissions:
        late = overview.late_queues(session)
        text = ntranslate(ctx.language, "monitoring.alerts.queues", len(late))
        found.append(WorkItem(text, len(late), ctx.url("monitoring.admin.workers"), "danger"))
    if _JOBS in ctx.who.permissions:
        count = overview.failed_lately(session)
        text = ntranslate(ctx.language, "monitoring.alerts.failed_jobs", count)
        found.append(WorkItem(text, count, ctx.url("monitoring.admin.jobs", state="failed"), "warning"))
    return [item for item in found if item.count]


def find_job(ctx: PageContext, query: str) -> Sequence[PaletteItem]:
    """The job whose id somebody pasted."""
    key = key_of(query.strip())
    if key is None or ctx.area != "admin" or _JOBS not in ctx.who.permissions:
        return ()
    job = ctx.session.get(Job, key)
    if job is None:
        return ()
    url = ctx.url("monitoring.admin.job", job_id=to_public(JOB_PREFIX, key))
    state = ctx.t(f"ui.state.{job.state}")
    return (PaletteItem("records", short_name(job.task), url, "list-checks", state),)
