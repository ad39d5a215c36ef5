"""Signing up: plan, address, account, company and shop, then the trial or the payment. Needs the identity scope.

Nothing is made before the address is proved, so nobody can sign up with another's; what was typed waits in a row until
then. All times are of the system clock: a link does not age with business time.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core import clock, security
from app.core.config import get_settings
from app.core.database import SYSTEM, TenantScope, acting_in
from app.core.ids import new_id
from app.core.keys import get_keys
from app.modules.billing.contracts import By
from app.modules.billing.enums import ChangeSource, Interval
from app.modules.billing.exceptions import TierNotFoundError
from app.modules.billing.models.sign_up import SignUp
from app.modules.billing.models.subscription_tier import SubscriptionTier
from app.modules.billing.services import stripe_request_service, subscription_service
from app.modules.claims import SHOP_CLAIMS
from app.modules.state import is_enabled
from app.modules.tenancy.facade import (
    Browser,
    NewOwner,
    NewShop,
    SignedUp,
    check_shop,
    has_account,
    new_owner,
    require_email,
    sign_up,
)
from app.tasks.dispatcher import dispatch

VALID_FOR = timedelta(days=7)
_SEND = "app.modules.billing.tasks.sign_ups.send_sign_up_link"
_PURPOSE = "sign-up"


def get_tier(session: Session, tier_id: UUID) -> SubscriptionTier:
    """A plan that anybody may choose now; TierNotFoundError."""
    tier = session.get(SubscriptionTier, tier_id)
    if (
        tier is None
        or tier.archived_at
        or not tier.is_public
        or not is_enabled("billing", [tier.platform_id])
    ):
        raise TierNotFoundError
    return tier


def begin(session: Session, email: str, tier_id: UUID, interval: str, language: str) -> SignUp:
    """Keep the choice and mail the link. Whether the address has an account shows in the mail only.

    Raises TierNotFoundError, ValidationFailedError at ``email``.
    """
    require_email("email", email)
    row = SignUp(
        id=new_id(),
        email=email.strip(),
        language=language,
        tier_id=get_tier(session, tier_id).id,
        interval=Interval(interval),
        expires_at=clock.system_now() + VALID_FOR,
    )
    session.add(row)
    session.flush()
    send_link(session, row)
    return row


def send_link(session: Session, row: SignUp) -> None:
    """Mail the link, once more."""
    with acting_in(session, SYSTEM):
        dispatch(session, _SEND, kwargs={"sign_up_id": row.id})


def link_token(row: SignUp) -> str:
    """What the mailed link carries."""
    return _sign(row, is_proved=True)


def cookie_token(row: SignUp) -> str:
    """What the browser keeps that began it: enough to have the mail sent again, not to go on."""
    return _sign(row, is_proved=False)


def _sign(row: SignUp, *, is_proved: bool) -> str:
    return security.sign(_PURPOSE, {"id": str(row.id), "proved": is_proved}, get_keys(get_settings()))


def find(session: Session, token: str, *, lock: bool = False) -> tuple[SignUp, bool] | None:
    """The sign-up of a token, and whether the token proves the address; None when it is over or forged."""
    payload = security.unsign(_PURPOSE, token, int(VALID_FOR.total_seconds()), get_keys(get_settings()))
    if payload is None:
        return None
    statement = select(SignUp).where(SignUp.id == UUID(payload["id"]), SignUp.expires_at > clock.system_now())
    row = session.scalar(statement.with_for_update() if lock else statement)
    return (row, bool(payload["proved"])) if row else None


def confirm(session: Session, row: SignUp) -> None:
    """Somebody opened the link."""
    row.confirmed_at = row.confirmed_at or clock.system_now()
    session.flush()


def choose(session: Session, row: SignUp, tier_id: UUID, interval: str) -> None:
    """Another plan. Raises TierNotFoundError."""
    row.tier_id, row.interval = get_tier(session, tier_id).id, Interval(interval)
    session.flush()


def needs_account(session: Session, row: SignUp) -> bool:
    """Whether name and password are still to be asked."""
    return row.password_hash is None and not has_account(session, row.email)


def keep_account(session: Session, row: SignUp, name: str, password: str) -> None:
    """Keep name and password. Raises ValidationFailedError at ``name`` and ``password``."""
    owner = new_owner(row.email, name, password)
    row.name, row.password_hash = owner.name, owner.password_hash
    session.flush()


def keep_shop(session: Session, row: SignUp, shop: NewShop) -> None:
    """Keep company and shop. Raises ValidationFailedError at ``company``, ``name`` and ``code``, CodeTakenError."""
    checked = check_shop(session, shop)
    row.company, row.tax_number = checked.company, checked.tax_number
    row.shop_name, row.shop_code = checked.name, checked.code
    session.flush()


def finish(
    session: Session, row: SignUp, browser: Browser, return_url: str | None
) -> tuple[SignedUp, UUID | None]:
    """Make company, shop, owner and trial; with a ``return_url``, in which ``{code}`` is the shop's, ask for the
    payment too: the id of that request.

    Raises as tenancy's ``sign_up``, TierNotFoundError.
    """
    tier = get_tier(session, row.tier_id)
    assert row.company
    assert row.shop_name
    assert row.shop_code
    owner = NewOwner(row.email, row.name or "", row.password_hash)
    shop = NewShop(
        tier.platform_id, row.company, row.shop_code, row.shop_name, row.language, row.tax_number or ""
    )
    made = sign_up(session, owner, shop, browser)
    if row.claim:
        for claims in SHOP_CLAIMS.implementations([tier.platform_id]):
            claims.claim(session, row.claim, made.vendor_id, row.email, made.user_id)
    request_id = None
    with acting_in(session, TenantScope(made.vendor_id, made.company_id)):
        by = By(ChangeSource.USER, made.user_id)
        subscription_service.start_trial(
            session, made.vendor_id, tier.platform_id, tier.code, row.interval, by
        )
        if return_url is not None:
            request_id = stripe_request_service.ask_checkout(
                session,
                made.vendor_id,
                by,
                tier.code,
                row.interval,
                return_url.replace("{code}", row.shop_code),
            )
    row.finished_at, row.vendor_code, row.password_hash = clock.system_now(), row.shop_code, None
    session.flush()
    return made, request_id


def delete_over(session: Session) -> int:
    """Forget sign-ups whose time is over, finished or not; how many."""
    over = delete(SignUp).where(SignUp.expires_at <= clock.system_now()).returning(SignUp.id)
    return len(session.execute(over).all())
