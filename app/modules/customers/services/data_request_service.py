"""Asking for a copy of a customer's data or for its erasure; the operator asks for the latter with a second person."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.core import clock
from app.core.config import get_settings
from app.core.database import TenantScope, acting_in
from app.core.ids import new_id, to_public
from app.core.storage import get_storage
from app.modules.audit import record_audit
from app.modules.core.contracts import WorkItem
from app.modules.customers.enums import RequestKind, RequestState
from app.modules.customers.exceptions import RequestDecidedError, RequestNotFoundError, SamePersonError
from app.modules.customers.models.customer import Customer
from app.modules.customers.models.request import DataRequest
from app.modules.customers.services.customer_edit_service import check_present
from app.modules.customers.services.customer_service import PREFIX
from app.modules.pages import PageContext
from app.modules.tenancy.facade import vendor_names
from app.tasks.dispatcher import dispatch
from app.tasks.models import Job

REQUEST_PREFIX = "cdr"
VENDORS = vendor_names()
_TASKS: Mapping[RequestKind, str] = {
    RequestKind.EXPORT: "app.modules.customers.tasks.personal_data.export_customer",
    RequestKind.ERASE: "app.modules.customers.tasks.personal_data.erase_customer",
}


class RequestWithJob(NamedTuple):
    """A request and the record of its work; no job while it waits, and when that was pruned."""

    row: DataRequest
    job: Job | None

    @property
    def state(self) -> str:
        """waiting, refused, or what became of the work: queued, running, succeeded, failed, cancelled."""
        if self.row.state != RequestState.AGREED:
            return self.row.state
        return self.job.state if self.job else "succeeded"


def ask(
    session: Session,
    customer: Customer,
    kind: RequestKind,
    *,
    user_id: UUID,
    reason: str = "",
    needs_second: bool = False,
) -> DataRequest:
    """Ask for something, in the name of somebody who signed in; unless it needs a second person it begins at once.

    The session may be the vendor's or the operator's. Raises CustomerErasedError.
    """
    check_present(customer)
    state = RequestState.WAITING if needs_second else RequestState.AGREED
    request = DataRequest(
        id=new_id(),
        vendor_id=customer.vendor_id,
        customer_id=customer.id,
        kind=kind.value,
        state=state.value,
        reason=reason,
        asked_by=user_id,
        counts={},
    )
    with acting_in(session, TenantScope(customer.vendor_id)):
        session.add(request)
        session.flush()
        if not needs_second:
            _start(session, request, user_id)
        _note(session, request, f"customers.{kind}_asked")
    return request


def decide(session: Session, request: DataRequest, *, user_id: UUID, is_agreed: bool) -> None:
    """The second person agrees or refuses. Raises RequestDecidedError, and SamePersonError for who asked."""
    with acting_in(session, TenantScope(request.vendor_id)):
        session.refresh(request, with_for_update=True)
        if request.state != RequestState.WAITING:
            raise RequestDecidedError
        if is_agreed and request.asked_by == user_id:
            raise SamePersonError
        request.state = (RequestState.AGREED if is_agreed else RequestState.REFUSED).value
        request.decided_by, request.decided_at = user_id, clock.now()
        if is_agreed:
            _start(session, request, user_id)
        _note(session, request, f"customers.{request.kind}_{request.state}")


def get_request(session: Session, request_id: UUID) -> RequestWithJob:
    """A request that the scope sees. Raises RequestNotFoundError."""
    statement = select(DataRequest, Job).outerjoin(Job, Job.id == DataRequest.job_id)
    found = session.execute(statement.where(DataRequest.id == request_id)).one_or_none()
    if found is None:
        raise RequestNotFoundError
    return RequestWithJob(*found)


def list_requests(session: Session, customer_id: UUID, limit: int = 20) -> Sequence[RequestWithJob]:
    """What was asked about a customer, the newest first."""
    statement = (
        select(DataRequest, Job)
        .outerjoin(Job, Job.id == DataRequest.job_id)
        .where(DataRequest.customer_id == customer_id)
        .order_by(DataRequest.id.desc())
        .limit(limit)
    )
    return [RequestWithJob(*found) for found in session.execute(statement)]


def select_requests(_session: Session, _language: str) -> Select[Any]:
    """All requests with their vendors, for the operator's list; no names of customers."""
    return select(
        DataRequest.id,
        DataRequest.kind,
        DataRequest.state,
        DataRequest.created_at,
        DataRequest.decided_at,
        VENDORS.c.name.label("vendor_name"),
        VENDORS.c.code.label("vendor_code"),
    ).join(VENDORS, VENDORS.c.id == DataRequest.vendor_id)


def find_file(request: DataRequest) -> Path | None:
    """Where the copy is; None when there is none, or no more."""
    storage = get_storage(get_settings())
    if request.storage_key is None or not storage.exists(request.storage_key):
        return None
    return storage.path(request.storage_key)


def worklist(ctx: PageContext, session: Session) -> Sequence[WorkItem]:
    """For the operator's home page: erasures that wait for a second person."""
    if ctx.area != "admin" or "customers.data.manage" not in ctx.who.permissions:
        return ()
    waiting = select(func.count()).where(DataRequest.state == RequestState.WAITING)
    count = session.scalar(waiting) or 0
    url = ctx.url("customers.admin.requests", state=RequestState.WAITING.value)
    return (WorkItem(ctx.t("customers.worklist.waiting"), count, url, "warning"),) if count else ()


def _start(session: Session, request: DataRequest, user_id: UUID) -> None:
    request.job_id = dispatch(
        session,
        _TASKS[RequestKind(request.kind)],
        kwargs={"data_request_id": request.id},
        vendor_id=request.vendor_id,
        ordering_key=f"customers.data:{request.customer_id}",
        cause="user",
        created_by=user_id,
    ).id
    session.flush()


def _note(session: Session, request: DataRequest, action: str) -> None:
    """In the history of the customer and of the request."""
    for target in (to_public(PREFIX, request.customer_id), to_public(REQUEST_PREFIX, request.id)):
        record_audit(session, action, vendor_id=request.vendor_id, target=target)
