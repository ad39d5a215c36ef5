"""Errors of tenancy."""

from app.core.errors import ConflictError, NotFoundError, UnauthenticatedError


class WrongCredentialsError(UnauthenticatedError):
    """E-mail and password do not fit. Never says which of them."""

    code = "tenancy.wrong_credentials"
    title = "The e-mail address and password do not match an account."


class SignInLockedError(UnauthenticatedError):
    """Too many failed tries for this address; params: ``minutes`` until the next one is allowed."""

    code = "tenancy.sign_in_locked"
    title = "Too many tries"


class NoAccessError(UnauthenticatedError):
    """The account is right but has no place in this area."""

    code = "tenancy.no_access"
    title = "This account has no access here."


class CodeTakenError(ConflictError):
    """Another platform, vendor or account has this code, subdomain or address; params: ``value``."""

    code = "tenancy.code_taken"
    title = "Already taken"


class PlatformNotFoundError(NotFoundError):
    """No platform of that code; params: ``platform_code``."""

    code = "tenancy.platform_not_found"
    title = "There is no such platform"


class VendorNotFoundError(NotFoundError):
    """No vendor of that code; params: ``vendor_code``."""

    code = "tenancy.vendor_not_found"
    title = "There is no such vendor"
