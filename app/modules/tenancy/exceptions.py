"""Errors of tenancy."""

from app.core.errors import (
    ConflictError,
    FieldError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    ValidationFailedError,
)


class WrongCredentialsError(UnauthenticatedError):
    """E-mail and password do not fit. Never says which of them."""

    code = "tenancy.wrong_credentials"
    title = "The e-mail address and password do not match an account."


class WrongCodeError(UnauthenticatedError):
    """The code of the second step does not fit, or was used before."""

    code = "tenancy.wrong_code"
    title = "This code does not fit"


class SignInLockedError(UnauthenticatedError):
    """Too many failed tries for this address; params: ``minutes`` until the next one is allowed."""

    code = "tenancy.sign_in_locked"
    title = "Too many tries"


class NoAccessError(UnauthenticatedError):
    """The account is right but has no place in this area."""

    code = "tenancy.no_access"
    title = "This account has no access here."


class LinkExpiredError(UnauthenticatedError):
    """A mailed link, or one to act as a vendor, is too old, was used, or was replaced by a newer one."""

    code = "tenancy.link_expired"
    title = "This link no longer works"


class VendorSuspendedError(ForbiddenError):
    """The vendor, or its company, is on hold; params: ``vendor_name``, ``reason``."""

    code = "tenancy.vendor_suspended"
    title = "This shop is on hold"


class EscalationError(ForbiddenError):
    """Somebody tried to give away a permission that they do not have."""

    code = "tenancy.escalation"
    title = "More than you may do yourself"


class _TakenError(ValidationFailedError):
    """Said at the field that it is about; params: ``value``."""

    status = 409

    def __init__(self, field: str, value: str) -> None:
        error = FieldError(field, "taken", f"errors.{self.code}", {"value": value})
        super().__init__(f"{self.title}: {value!r}.", errors=[error], value=value)


class CodeTakenError(_TakenError):
    """Another platform, vendor, role, domain or account has this already."""

    code = "tenancy.code_taken"
    title = "Already taken"


class AlreadyMemberError(_TakenError):
    """The person belongs there already."""

    code = "tenancy.already_member"
    title = "Already a member"


class AlreadyInvitedError(_TakenError):
    """A fresh invitation to this place waits."""

    code = "tenancy.already_invited"
    title = "Already invited"


class LastOwnerError(ConflictError):
    """A company keeps at least one owner who may sign in."""

    code = "tenancy.last_owner"
    title = "The last owner stays"


class LastSuperAdminError(ConflictError):
    """The installation keeps at least one super admin who may sign in."""

    code = "tenancy.last_super_admin"
    title = "The last super admin stays"


class OwnAccountError(ConflictError):
    """Nobody deactivates themselves."""

    code = "tenancy.own_account"
    title = "This is your own account"


class BuiltInRoleError(ConflictError):
    """What is built in is neither changed nor deleted."""

    code = "tenancy.built_in_role"
    title = "Built-in roles stay as they are"


class NobodyToActAsError(ConflictError):
    """The vendor has no user as whom somebody could act."""

    code = "tenancy.nobody_to_act_as"
    title = "Nobody works for this vendor yet"


class RoleInUseError(ConflictError):
    """A role of members or invitations cannot be deleted; params: ``count``."""

    code = "tenancy.role_in_use"
    title = "The role is in use"


class PlatformSuspendedError(ConflictError):
    """A platform on hold takes no new vendors; params: ``platform_code``."""

    code = "tenancy.platform_suspended"
    title = "The platform is on hold"


class PlatformNotFoundError(NotFoundError):
    """No platform of that code; params: ``platform_code``."""

    code = "tenancy.platform_not_found"
    title = "There is no such platform"


class UserNotFoundError(NotFoundError):
    """Nobody has that address; params: ``email``."""

    code = "tenancy.user_not_found"
    title = "There is no such user"


class VendorNotFoundError(NotFoundError):
    """No vendor of that code; params: ``vendor_code``."""

    code = "tenancy.vendor_not_found"
    title = "There is no such vendor"
