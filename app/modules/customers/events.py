"""Events of customers: ids only, so that nothing personal is stored in deliveries or sent outside."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from app.modules.events import Event


@dataclass(frozen=True, slots=True)
class CustomerCreated(Event):
    """A customer became known, by an order, by hand or by a program."""

    name: ClassVar[str] = "customers.customer_created"

    customer_id: UUID
    channel: str


@dataclass(frozen=True, slots=True)
class CustomerUpdated(Event):
    """Something of a customer was changed; not what they ordered."""

    name: ClassVar[str] = "customers.customer_updated"

    customer_id: UUID


@dataclass(frozen=True, slots=True)
class CustomerErased(Event):
    """The personal data of a customer is gone; the record stays, without a name."""

    name: ClassVar[str] = "customers.customer_erased"

    customer_id: UUID


@dataclass(frozen=True, slots=True)
class CustomerMerged(Event):
    """``customer_id`` was the same person as ``into_id``, which has everything of it now."""

    name: ClassVar[str] = "customers.customer_merged"

    customer_id: UUID
    into_id: UUID
