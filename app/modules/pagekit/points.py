"""What pages ask of modules: views people saved, work on long lists, history, alerts, records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.modules.pages import PageContext
from app.modules.providers import ProviderPoint
from app.modules.shell import Alert


@dataclass(frozen=True, slots=True)
class SavedView:
    """A list as somebody wants to see it again; ``query`` is the query string of its address."""

    id: str
    name: str
    query: str
    is_shared: bool
    is_default: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One act on a record. ``action`` is its code; its text stands under the key ``audit.<code>``. ``comment``: what
    somebody wrote, as it is."""

    at: datetime
    who: str | None
    action: str
    details: Mapping[str, Any] = field(default_factory=dict)
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class PaletteItem:
    """Something the command palette leads to. ``group`` is pages, records or actions."""

    group: str
    label: str
    url: str
    icon: str = "arrow-right"
    hint: str = ""


class SavedViews(Protocol):
    """The views of a list that the reader may use: their own and shared ones, by name."""

    def __call__(self, ctx: PageContext, page_id: str) -> Sequence[SavedView]:
        """Views of one page."""


class ListWork(Protocol):
    """Work on more rows of a list than one request should do; each returns the address of the job's page."""

    def start_export(self, ctx: PageContext, page_id: str, query: str) -> str:
        """Write the rows of ``query`` to a file."""

    def start_bulk(self, ctx: PageContext, page_id: str, action: str, query: str, ids: Sequence[UUID]) -> str:
        """Do a bulk action with ``ids`` or, where there are none, with all rows of ``query``."""


class Timeline(Protocol):
    """The history of a record, by the public id that the audit log knows it under; the newest first."""

    def __call__(self, session: Session, target: str, limit: int) -> Sequence[TimelineEntry]:
        """At most ``limit`` entries."""


class Comments(Protocol):
    """What people wrote about a record, by the same id; the newest first. They write by POST to ``/comments`` of the
    area with page_id, target, text and back, the path to return to."""

    def __call__(self, ctx: PageContext, target: str, limit: int) -> Sequence[TimelineEntry]:
        """At most ``limit`` entries."""


class Alerts(Protocol):
    """What a module wants the reader of ``ctx`` to know on every page."""

    def __call__(self, ctx: PageContext) -> Sequence[Alert]:
        """Nothing, mostly."""


class PaletteSource(Protocol):
    """Records and actions of a module for the command palette."""

    def __call__(self, ctx: PageContext, query: str) -> Sequence[PaletteItem]:
        """A few that fit, the best first."""


SAVED_VIEWS: ProviderPoint[SavedViews] = ProviderPoint("framework.saved_views")
LIST_WORK: ProviderPoint[ListWork] = ProviderPoint("framework.list_work")
TIMELINE: ProviderPoint[Timeline] = ProviderPoint("framework.timeline")
COMMENTS: ProviderPoint[Comments] = ProviderPoint("framework.comments")
ALERTS: ProviderPoint[Alerts] = ProviderPoint("framework.alerts")
PALETTE: ProviderPoint[PaletteSource] = ProviderPoint("framework.palette")
