"""The texts of everything that is installed."""

from functools import lru_cache
from pathlib import Path

from app.core.i18n import load_catalogues
from app.modules.registry import modules

_FRAMEWORK = Path(__file__).parent


@lru_cache(maxsize=1)
def load_texts() -> None:
    """Name the message catalogues of the kit, the framework and all installed modules, once.

    Most commands and tasks say something in one language or in none: each is read when it is asked for.
    """
    folders = [_FRAMEWORK.parent / "ui", _FRAMEWORK, *(module.folder for module in modules().values())]
    load_catalogues((folder / "locales" for folder in folders), languages=())
