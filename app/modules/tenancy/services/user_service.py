"""Users and what ties them to platforms, companies and vendors."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core import security
from app.core.database import IdentityScope, acting_in
from app.core.errors import FieldError, ValidationFailedError
from app.modules.tenancy.exceptions import CodeTakenError
from app.modules.tenancy.models.user import Membership, User


def normalise_email(email: str) -> str:
    """The form in which addresses are compared."""
    return email.strip().casefold()


def create_user(
    session: Session, *, email: str, name: str, password: str | None, is_super_admin: bool = False
) -> UUID:
    """A new user. Needs the identity scope.

    Raises CodeTakenError when the address is in use and ValidationFailedError for a weak password.
    """
    norm = normalise_email(email)
    if session.scalar(select(User.id).where(User.email_norm == norm)):
        raise CodeTakenError(f"There is an account for {email} already.", value=email)
    if password is not None:
        require_strong_password(password, email, name)
    user = User(
        email=email.strip(),
        email_norm=norm,
        name=name,
        password_hash=security.hash_password(password) if password is not None else None,
        is_super_admin=is_super_admin,
    )
    session.add(user)
    session.flush()
    return user.id


def create_owner(session: Session, *, email: str, password: str, company_id: UUID) -> UUID:
    """A new user who owns a company, made in the identity scope from the operator's transaction."""
    with acting_in(session, IdentityScope()):
        user_id = create_user(session, email=email, name=email.partition("@")[0], password=password)
        add_membership(session, user_id, company_id=company_id)
    return user_id


def require_strong_password(password: str, *known: str) -> None:
    """Raise ValidationFailedError naming every weakness."""
    weaknesses = security.check_password_strength(password, known)
    if weaknesses:
        raise ValidationFailedError(
            f"The password is too weak: {', '.join(weaknesses)}.",
            errors=[FieldError("password", code, f"tenancy.password.{code}", {}) for code in weaknesses],
        )


def add_membership(
    session: Session,
    user_id: UUID,
    *,
    platform_id: UUID | None = None,
    company_id: UUID | None = None,
    vendor_id: UUID | None = None,
    role_id: UUID | None = None,
) -> None:
    """Tie a user to one place; a team member of a vendor has a role. Needs the identity scope."""
    session.add(
        Membership(
            user_id=user_id,
            platform_id=platform_id,
            company_id=company_id,
            vendor_id=vendor_id,
            role_id=role_id,
        )
    )
    session.flush()
