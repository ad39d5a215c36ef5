"""Errors in Stripe's shapes."""

from typing import Any


class StripeError(Exception):
    """Answered as ``{"error": {...}}``. ``keeps_effects``: what the request did until here stays."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        keeps_effects: bool = False,
        **fields: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_effects = keeps_effects
        self.fields = {"type": kind, "message": message, **{k: v for k, v in fields.items() if v is not None}}

    @property
    def body(self) -> dict[str, Any]:
        code = self.fields.get("code")
        more = {"doc_url": f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"} if code else {}
        return {"error": {**self.fields, **more}}


def missing(kind: str, object_id: str, param: str | None = None) -> StripeError:
    """No such object: 404 by path, 400 by parameter."""
    name = kind.rsplit(".", maxsplit=1)[-1].replace("_", " ")
    return StripeError(
        404 if param is None else 400,
        f"No such {name}: '{object_id}'",
        code="resource_missing",
        param=param or "id",
    )


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """400 for a parameter."""
    return StripeError(400, message, param=param, code=code)


def required(param: str) -> StripeError:
    """400 for a parameter that is missing."""
    return StripeError(400, f"Missing required param: {param}.", param=param, code="parameter_missing")
