"""Settings of the module that only the environment can give."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class PaymentsSettings(BaseSettings):
    """Read when they are needed, from variables that begin with ``PAYMENTS_``."""

    model_config = SettingsConfigDict(env_prefix="PAYMENTS_", env_ignore_empty=True, extra="ignore")

    stripe_api_key: SecretStr | None = Field(
        default=None, description="key of the platform's Stripe account, where no account row has one"
    )
    stripe_webhook_secret: SecretStr | None = Field(
        default=None,
        description="secret that signs what Stripe sends to .../webhooks/payments/stripe/default",
    )
    stripe_timeout_seconds: float = Field(default=20.0, gt=0, description="for one answer of Stripe")
