"""The texts of everything that is installed."""

from functools import lru_cache
from pathlib import Path

from app.core.i18n import load_catalogues
from app.modules.registry import modules

_FRAMEWORK = Path(__file__).parent


@lru_cache(maxsize=1)
def load_texts() -> None:
    """Load the message catalogues of the kit, the framework and all installed modules, once."""
    folders = [module.folder for module in modules().values()]
    load_catalogues(folder / "locales" for folder in (_FRAMEWORK.parent / "ui", _FRAMEWORK, *folders))
