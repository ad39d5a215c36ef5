"""Which pages a platform leaves out of its menus. Only what is hidden is stored."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.core.database import SYSTEM, unit_of_work
from app.core.ids import to_public
from app.modules.base import PageDef
from app.modules.core.exceptions import MandatoryPageError
from app.modules.core.models.hidden_page import HiddenPage
from app.modules.menu import pages
from app.modules.state import kept
from app.modules.tenancy.facade import record_audit

_Hidden = dict[UUID, frozenset[str]]


def hidden_pages(platform_ids: Collection[UUID]) -> frozenset[str]:
    """Ids of the pages that are hidden on all of these platforms; at most a second or two old."""
    hidden = kept(("core.hidden_pages",), _read)
    found = [hidden.get(platform_id, frozenset()) for platform_id in platform_ids]
    return frozenset.intersection(*found) if found else frozenset()


def hidden_on(session: Session, platform_id: UUID) -> frozenset[str]:
    """Ids of the pages that one platform hides, as they are in this transaction."""
    return frozenset(session.scalars(select(HiddenPage.page_id).where(HiddenPage.platform_id == platform_id)))


def menu_pages() -> list[PageDef]:
    """All pages that stand in a menu."""
    return [page for page in pages().values() if page.menu is not None]


def set_hidden(session: Session, platform_id: UUID, page_ids: Iterable[str], *, by: UUID) -> None:
    """Hide exactly these pages of the menus; audited. Ids of pages that are in no menu are left out.

    Raises MandatoryPageError for a page that always stays.
    """
    known = {page.id: page for page in menu_pages()}
    wanted = {page_id for page_id in page_ids if page_id in known}
    for page_id in sorted(wanted):
        menu = known[page_id].menu
        if menu is not None and menu.is_mandatory:
            raise MandatoryPageError(f"{page_id} stays in the menu.", page=page_id)
    former = hidden_on(session, platform_id)
    if former == wanted:
        return
    session.execute(
        delete(HiddenPage).where(
            HiddenPage.platform_id == platform_id, HiddenPage.page_id.in_(former - wanted)
        )
    )
    session.add_all(
        HiddenPage(platform_id=platform_id, page_id=page_id, hidden_by=by)
        for page_id in sorted(wanted - former)
    )
    session.flush()
    record_audit(
        session,
        "core.menu_changed",
        actor_id=by,
        target=to_public("plt", platform_id),
        hidden=sorted(wanted - former),
        shown=sorted(former - wanted),
    )


def _read() -> _Hidden:
    hidden: dict[UUID, set[str]] = {}
    with unit_of_work(SYSTEM) as session:
        for platform_id, page_id in session.execute(select(HiddenPage.platform_id, HiddenPage.page_id)):
            hidden.setdefault(platform_id, set()).add(page_id)
    return {platform_id: frozenset(found) for platform_id, found in hidden.items()}
