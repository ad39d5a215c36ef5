"""Settings of the module that only the environment can give."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class MarketplaceSettings(BaseSettings):
    """Read when they are needed, from variables that begin with ``MARKETPLACE_``."""

    model_config = SettingsConfigDict(env_prefix="MARKETPLACE_", env_ignore_empty=True, extra="ignore")

    export_folder: Path | None = Field(
        default=None, description="folder into which every file that is sent is put, too"
    )
    letzshop_url: str | None = Field(
        default=None,
        description="address of the Letzshop API; without it the stand-in's where one runs, else Letzshop's own",
    )
    letzshop_calls_per_minute: int = Field(
        default=120, ge=1, description="how often one key of Letzshop may be used, by all processes together"
    )
    letzshop_timeout_seconds: float = Field(default=20.0, gt=0, description="for one answer of Letzshop")
