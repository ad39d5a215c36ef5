"""The listener whose moment is timed."""

from sqlalchemy.orm import Session

from app.testing.bench.events import ProbeSent
from app.testing.bench.marks import mark


def on_probe_sent(_session: Session, event: ProbeSent) -> None:
    """Note that it arrived."""
    mark(event.sent_ns)
