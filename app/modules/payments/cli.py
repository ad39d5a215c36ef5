"""``wizamart payments``: messages of providers, and keys."""

from typing import Annotated

import typer

from app.core.console import print_rows
from app.core.database import SYSTEM, unit_of_work
from app.core.ids import to_public
from app.modules.payments.exceptions import WebhookNotFoundError
from app.modules.payments.models.webhook import IncomingWebhook
from app.modules.payments.services import secret_service, webhook_list_service, webhook_service

payments_app = typer.Typer(help="Payments and what providers send.", no_args_is_help=True)
groups = {"payments": payments_app}

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@payments_app.callback()
def _payments_group() -> None:
    """Payments and what providers send."""


@payments_app.command("webhooks")
def list_webhooks(
    state: Annotated[str | None, typer.Option(help="waiting, retrying, processed or dead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    as_json: _Json = False,
) -> None:
    """Show the last messages of providers, the newest first.

    Example: wizamart payments webhooks --state dead
    """
    from app.modules.platform import running_platform

    statement = webhook_list_service.select_webhooks()
    if state is not None:
        statement = statement.where(webhook_list_service.STATE.in_([state]))
    with running_platform(), unit_of_work(SYSTEM) as session:
        rows = session.execute(statement.order_by(IncomingWebhook.id.desc()).limit(limit)).all()
    shown = [
        {
            "id": to_public(webhook_service.INCOMING_PREFIX, row.id),
            "event": row.external_id,
            "type": row.type,
            "object": row.object_id,
            "received": row.received_at.isoformat(timespec="seconds"),
            "state": row.state,
            "error": row.error,
        }
        for row in rows
    ]
    print_rows(shown, as_json)


@payments_app.command("replay")
def replay(
    event: Annotated[str, typer.Argument(help="The message's id (iwh_…), or the provider's own (evt_…).")],
) -> None:
    """Handle a message of a provider again; a worker does it.

    Example: wizamart payments replay evt_1Q2w3E
    """
    from app.modules.platform import running_platform

    with running_platform(), unit_of_work(SYSTEM) as session:
        found = webhook_service.find_by_event(session, event)
        if not found:
            raise WebhookNotFoundError(f"There is no message {event!r}. See: wizamart payments webhooks")
        for row in found:
            webhook_service.replay(session, row.id)
    typer.echo(f"{len(found)} will be handled again.", err=True)


@payments_app.command("reseal")
def reseal() -> None:
    """Seal all keys of providers under the current encryption key, so that an older one can be removed.

    Example: wizamart payments reseal
    """
    from app.modules.platform import running_platform

    with running_platform(), unit_of_work(SYSTEM) as session:
        typer.echo(f"{secret_service.reseal_secrets(session)} resealed.", err=True)
