"""What other modules may tell and ask: figures and steps for the home pages, notifications, settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.pages import PageContext
from app.modules.providers import ProviderPoint

HomeArea = Literal["admin", "vendor"]


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


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One thing a new vendor does once. ``is_done`` is computed from the data, so doing it elsewhere ticks it too."""

    label: str
    text: str
    url: str
    is_done: bool
    order: int = 100


class SetupStepProvider(Protocol):
    """Answers with a module's steps for the vendor of ``ctx``."""

    def __call__(self, ctx: PageContext, session: Session) -> Sequence[SetupStep]:
        """Steps that this person may do."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Something that waits for a person, linked to where it is done. ``tone`` is info, warning or danger."""

    text: str
    count: int
    url: str
    tone: str = "info"


class WorklistProvider(Protocol):
    """Answers with what waits at the home page of ``ctx``'s area; nothing where all is done."""

    def __call__(self, ctx: PageContext, session: Session) -> Sequence[WorkItem]:
        """Items with a count above zero."""


VENDOR_TILES: ProviderPoint[TileProvider] = ProviderPoint("core.vendor_tiles")
ADMIN_TILES: ProviderPoint[TileProvider] = ProviderPoint("core.admin_tiles")
SETUP_STEPS: ProviderPoint[SetupStepProvider] = ProviderPoint("core.setup_steps")
WORKLIST: ProviderPoint[WorklistProvider] = ProviderPoint("core.worklist")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a person is told. ``title_key`` and ``params`` (texts and numbers) make the title in the reader's language;
    ``text`` is shown as it is; ``url`` is a path on this site. ``tone`` is info, success, warning or danger."""

    kind: str
    tone: str
    title_key: str
    params: Mapping[str, str | int] = field(default_factory=dict)
    text: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class NotificationKind:
    """A kind of notification that a person can switch. ``code`` is ``<module>.<noun>``; ``by_email`` is the default."""

    code: str
    label_key: str
    by_email: bool = False
    areas: Sequence[HomeArea] = ("vendor", "admin")


NOTIFICATION_KINDS: ProviderPoint[Any] = ProviderPoint("core.notification_kinds")
"""Answered by functions without parameters that return a sequence of NotificationKind."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value that somebody may change while the platform runs. ``key`` is ``<module>.<name>``.

    ``kind``: text, number (whole; ``minimum`` to ``maximum``), switch, or choice (``choices`` are values with the keys
    of their texts). ``area`` admin: one value for the installation, which the environment (the key in upper case with
    ``_``) can fix; vendor: one value for each vendor.
    """

    key: str
    kind: Literal["text", "number", "switch", "choice"]
    default: str | int | bool
    label_key: str
    hint_key: str | None = None
    area: HomeArea = "vendor"
    choices: Sequence[tuple[str, str]] = ()
    minimum: int = 0
    maximum: int = 1_000_000


SETTINGS: ProviderPoint[Any] = ProviderPoint("core.settings")
"""Answered by functions without parameters that return a sequence of Setting."""


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What somebody asks of an endpoint; ``event_types`` are wire names, ``*`` stands for all."""

    url: str
    event_types: Sequence[str]
    description: str = ""


@dataclass(frozen=True, slots=True)
class CreatedWebhook:
    """A new endpoint, and its secret, which is shown this once."""

    id: UUID
    secret: str = field(repr=False)
