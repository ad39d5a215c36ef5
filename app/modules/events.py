"""Events between modules: published in the business transaction, delivered by jobs.

A publisher's event is a frozen dataclass in its ``events.py``; a listener names a function for it in its definition's
``handlers``. Each (event, listening module) is one stored delivery, handled once, in order per aggregate.
"""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, Protocol
from uuid import UUID

from celery import shared_task
from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from app.core.errors import ConfigurationError
from app.core.ids import new_id
from app.modules.base import load
from app.modules.providers import ProviderPoint
from app.modules.registry import modules
from app.modules.state import is_installed
from app.modules.task_base import ModuleTask
from app.tasks.dispatcher import dispatch
from app.tasks.models import Delivery

_DELIVER = "app.modules.events.deliver"


class UnknownEventError(ConfigurationError):
    """No installed module publishes an event of this name, or none handles it any more."""

    code = "framework.unknown_event"


@dataclass(frozen=True)
class Event:
    """Base of all events. ``name`` is ``<module>.<noun>_<past>``; fields are str, int, bool, UUID, datetime or None."""

    name: ClassVar[str]


class EventSink(Protocol):
    """Answered by modules that carry events of any kind further, such as to addresses outside."""

    def __call__(self, session: Session, event: Event, event_id: UUID, vendor_id: UUID | None) -> None:
        """Called for each event in its publisher's transaction: write what is to be done, and let a job do it."""


EVENT_SINKS: ProviderPoint[EventSink] = ProviderPoint("framework.event_sink")


_adapters: dict[type[Event], TypeAdapter[Any]] = {}  # to make one takes longer than to write an event


def _adapter(kind: type[Event]) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def publish(session: Session, event: Event, *, vendor_id: UUID | None = None, aggregate: str) -> UUID:
    """Store one delivery for each installed module that listens, in the caller's transaction; returns the event's id.

    ``aggregate`` says what the event is about, e.g. an order's id: a listener gets the events of one aggregate one
    after the other. A module that is off for the vendor gets its deliveries when it is on again.
    """
    event_id = new_id()
    payload = _adapter(type(event)).dump_python(event, mode="json")
    for code, module in modules().items():
        if event.name not in module.handlers or not is_installed(code):
            continue
        delivery_id = new_id()
        job = dispatch(
            session,
            _DELIVER,
            kwargs={"delivery_id": delivery_id},
            vendor_id=vendor_id,
            module=code,
            ordering_key=f"{code}:{event.name.partition('.')[0]}:{aggregate}",
            cause=f"event:{event.name}",
        )
        session.add(
            Delivery(
                id=delivery_id,
                vendor_id=vendor_id,
                event_id=event_id,
                event=event.name,
                handler=code,
                aggregate=aggregate,
                payload=payload,
                job_id=job.id,
            )
        )
    for sink in EVENT_SINKS.implementations():
        sink(session, event, event_id, vendor_id)
    return event_id


@shared_task(base=ModuleTask, bind=True, scope="platform", max_attempts=5)  # type: ignore[untyped-decorator]
def deliver(self: ModuleTask, delivery_id: str) -> None:
    """Hand one event to one listening module, in the transaction that also ends the delivery's job."""
    with self.get_db() as session:
        delivery = session.get_one(Delivery, UUID(delivery_id))
        listener = modules().get(delivery.handler)
        path = listener.handlers.get(delivery.event) if listener else None
        if path is None:
            raise UnknownEventError(f"Module {delivery.handler!r} no longer handles {delivery.event}.")
        load(path)(session, rebuild(delivery.event, delivery.payload))


def rebuild(name: str, payload: dict[str, Any]) -> Event:
    """An event as it was published. Fields that the class no longer has are left out."""
    event: Event = _adapter(event_class(name)).validate_python(payload)
    return event


@cache
def event_class(name: str) -> type[Event]:
    """The class of a wire name, from the publishing module's ``events.py``. Raises UnknownEventError."""
    publisher = modules().get(name.partition(".")[0].replace("_", "-")) or modules().get(
        name.partition(".")[0]
    )
    if publisher is not None and find_spec(f"{publisher.package}.events") is not None:
        for found in vars(import_module(f"{publisher.package}.events")).values():
            if isinstance(found, type) and issubclass(found, Event) and getattr(found, "name", None) == name:
                return found
    raise UnknownEventError(f"No installed module publishes {name!r}.")
