"""Three listeners, each with an effect of its own."""

from sqlalchemy.orm import Session

from app.testing.delivery.effects import Effect, write_effect
from app.testing.delivery.events import ParcelMoved
from app.testing.delivery.points import reach


def first(session: Session, event: ParcelMoved) -> None:
    """Note it for the first listener."""
    _note(session, event, "delivery")


def second(session: Session, event: ParcelMoved) -> None:
    """Note it for the second listener."""
    _note(session, event, "delivery-second")


def third(session: Session, event: ParcelMoved) -> None:
    """Note it for the third listener."""
    _note(session, event, "delivery-third")


def _note(session: Session, event: ParcelMoved, listener: str) -> None:
    reach("before_effect")
    write_effect(
        session,
        Effect(f"event:{listener}:{event.parcel}:{event.number}", f"{listener}:{event.parcel}", event.number),
    )
    reach("after_effect")
