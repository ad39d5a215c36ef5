"""A record's page: blocks in two columns, actions, and its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Response

from app.modules.pagekit.list_trail import find_trail
from app.modules.pagekit.points import COMMENTS, TIMELINE, TimelineEntry
from app.modules.pagekit.raw_data import raw_data
from app.modules.pages import PageContext
from app.modules.providers import ProviderPoint

FactKind = Literal["text", "code", "date", "datetime", "number", "link", "filesize", "duration"]
TIMELINE_ENTRIES = 50


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and a value, both translated already; ``url`` makes the value a link. None is shown as a dash."""

    label: str
    value: Any
    kind: FactKind = "text"
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a page: facts, or a template with a context of its own; ``order`` places what other modules add."""

    id: str
    title: str
    facts: Sequence[Fact] = ()
    template: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    column: Literal["main", "side", "full"] = "main"
    order: int = 50
    text: str | None = None
    is_flush: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """A button: a link, or with ``is_post`` something that changes. ``confirm`` (a text) asks once more."""

    label: str
    url: str
    icon: str | None = None
    variant: Literal["primary", "secondary", "danger"] = "secondary"
    is_post: bool = True
    confirm: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detail:
    """What a record's page shows. ``target``: the public id that the audit log knows the record under; with it the page
    has a history, to which people can add comments. ``raw``: what is shown to developers in place of the row that the
    address names, where that is not all that makes the record (see ``raw_data``).

    ``badges``: tone and text. ``actions``: the main ones are buttons, what is in ``more`` stands in a menu.
    """

    record_id: UUID
    title: str
    blocks: Sequence[Block]
    subtitle: str | None = None
    back: tuple[str, str] | None = None
    badges: Sequence[tuple[str, str]] = ()
    actions: Sequence[Action] = ()
    more: Sequence[Action] = ()
    target: str | None = None
    notice: tuple[str, str] | None = None
    refresh: bool = False
    raw: Any = None


class BlockSource(Protocol):
    """Blocks of a module on the page of another's record."""

    def __call__(self, ctx: PageContext, page_id: str, record_id: UUID) -> Sequence[Block]:
        """Nothing for pages it does not know."""


BLOCKS: ProviderPoint[BlockSource] = ProviderPoint("framework.blocks")


def show_detail(ctx: PageContext, detail: Detail, **context: Any) -> Response:
    """The page of a record, with the blocks that enabled modules add to it."""
    page_id = ctx.page.id if ctx.page else ""  # an action may answer with the record's page
    added = BLOCKS.collect(
        ctx.session, lambda source: list(source(ctx, page_id, detail.record_id)), ctx.who.platform_ids
    )
    blocks = [*detail.blocks, *(block for blocks in added for block in blocks)]
    trail = find_trail(ctx, detail.record_id)
    if trail is not None:
        detail = replace(
            detail, back=trail.back, actions=_tracked(ctx, detail.actions), more=_tracked(ctx, detail.more)
        )
    return ctx.render(
        "ui/pages/detail.html",
        title=detail.title,
        detail=replace(detail, blocks=sorted(blocks, key=lambda block: block.order)),
        trail=trail,
        timeline=_timeline(ctx, detail.target) if detail.target else None,
        can_comment=ctx.page is not None and any(COMMENTS.implementations()),
        raw=raw_data(ctx, detail.record_id, detail.target, detail.raw),
        **context,
    )


def _tracked(ctx: PageContext, actions: Sequence[Action]) -> list[Action]:
    """What is done below the record's address comes back to it, and still knows the list."""
    below, query = f"{ctx.request.url.path}/", urlencode({"from": ctx.origin})
    return [
        replace(one, url=f"{one.url}?{query}") if one.url.startswith(below) and "?" not in one.url else one
        for one in actions
    ]


def _timeline(ctx: PageContext, target: str) -> Sequence[TimelineEntry]:
    """What was done and said, the newest first."""
    entries = list(TIMELINE.one()(ctx.session, target, TIMELINE_ENTRIES))
    for ask in COMMENTS.implementations():
        entries += ask(ctx, target, TIMELINE_ENTRIES)
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:TIMELINE_ENTRIES]
