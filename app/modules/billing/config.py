"""Settings of billing that the environment can give."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class BillingConfig(BaseSettings):
    """Read when they are needed, from variables that begin with ``BILLING_``."""

    model_config = SettingsConfigDict(env_prefix="BILLING_", env_ignore_empty=True, extra="ignore")

    trial_days: int = Field(default=14, ge=1, le=365, description="days of a trial")
    grace_days: int = Field(
        default=14, ge=0, le=365, description="days after a failed payment until a shop is read-only"
    )
    invoice_due_days: int = Field(
        default=14, ge=0, le=365, description="days until an invoice outside of Stripe is due"
    )
    webhook_days: int = Field(
        default=90, ge=1, le=3650, description="days that handled messages of payment providers are kept"
    )
