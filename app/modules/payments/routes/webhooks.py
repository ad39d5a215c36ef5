"""The door for messages of payment providers."""

from sqlalchemy.orm import Session

from app.modules.payments.services import webhook_service
from app.modules.webhook_doors import RawMessage, WebhookRouter

router = WebhookRouter()


@router.post("/{provider}/{account}")
def take_message(session: Session, message: RawMessage, provider: str, account: str) -> None:
    """Store a signed message to an account, or to the environment's one (``default``), and let a job handle it."""
    webhook_service.receive(session, provider, account, message.body, message.headers)
