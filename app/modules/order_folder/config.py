"""Settings of the module that only the environment can give."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class OrderFolderSettings(BaseSettings):
    """Read when they are needed, from variables that begin with ``ORDER_FOLDER_``."""

    model_config = SettingsConfigDict(env_prefix="ORDER_FOLDER_", env_ignore_empty=True, extra="ignore")

    root: Path | None = Field(
        default=None,
        description="folder below which every vendor that is connected has one, named by its code",
    )
