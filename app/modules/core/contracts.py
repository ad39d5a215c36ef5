"""Protocols that other modules may implement for the home pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from app.modules.pages import PageContext
from app.modules.providers import ProviderPoint


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure on a home page, linked to the list behind it. ``tone`` is neutral, success, warning or danger."""

    label: str
    value: int
    url: str
    tone: str = "neutral"
    hint: str = ""


class TileProvider(Protocol):
    """Answers with a module's tiles for the home page of ``ctx``'s area."""

    def __call__(self, ctx: PageContext, session: Session) -> Sequence[Tile]:
        """Tiles in the order to show; an empty list where the module has nothing to say."""


VENDOR_TILES: ProviderPoint[TileProvider] = ProviderPoint("core.vendor_tiles")
ADMIN_TILES: ProviderPoint[TileProvider] = ProviderPoint("core.admin_tiles")
