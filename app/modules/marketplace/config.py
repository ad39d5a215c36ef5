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
