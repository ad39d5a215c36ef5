"""Errors of the customers module."""

from app.core.errors import ConflictError, NotFoundError


class CustomerNotFoundError(NotFoundError):
    """The vendor has no such customer."""

    code = "customers.customer_not_found"
    title = "There is no such customer"


class AddressNotFoundError(NotFoundError):
    """The customer has no such address."""

    code = "customers.address_not_found"
    title = "There is no such address"


class RequestNotFoundError(NotFoundError):
    """Nobody asked for this, or its file is no longer there."""

    code = "customers.request_not_found"
    title = "There is no such request"


class CustomerErasedError(ConflictError):
    """The person was erased or merged into another: nothing can be done with the record any more."""

    code = "customers.customer_erased"
    title = "This customer is no longer there"


class SamePersonError(ConflictError):
    """Who asked for an erasure cannot agree to it."""

    code = "customers.same_person"
    title = "Somebody else has to agree"


class RequestDecidedError(ConflictError):
    """The request was agreed to or refused before."""

    code = "customers.request_decided"
    title = "This request is decided already"


class ImportNotFoundError(NotFoundError):
    """The vendor has sent no such file."""

    code = "customers.import_not_found"
    title = "There is no such file"


class ImportClosedError(ConflictError):
    """The file was taken over or thrown away before."""

    code = "customers.import_closed"
    title = "This file is done with already"
