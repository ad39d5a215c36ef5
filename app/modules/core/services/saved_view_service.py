"""Views of lists: saved, shared, and chosen as the one a list opens with."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from app.core.errors import FieldError, ValidationFailedError
from app.core.ids import new_id, to_public
from app.modules.core.exceptions import SavedViewNotFoundError, SharedViewError
from app.modules.core.models.saved_view import SavedView
from app.modules.core.services.reach_service import own_rows, vendor_of
from app.modules.pagekit import points
from app.modules.pages import PageContext

VIEW_PREFIX = "svw"
MAX_NAME = 60
_MAX_QUERY = 2000
_MAX_VIEWS = 50  # of one person on one page
_NOT_PART_OF_A_VIEW = frozenset({"after", "before", "page", "view"})


def saved_views(ctx: PageContext, page_id: str) -> Sequence[points.SavedView]:
    """What the list shows as tabs. At most one is the default: one's own, else the oldest that is shared as such."""
    found = list_views(ctx.session, ctx.who.user_id, page_id)
    default = _default(found, ctx.who.user_id)
    return [
        points.SavedView(
            id=to_public(VIEW_PREFIX, view.id),
            name=view.name,
            query=view.query,
            is_shared=view.is_shared,
            is_default=view is default,
            is_own=view.owner_id == ctx.who.user_id,
        )
        for view in found
    ]


def _default(views: Sequence[SavedView], user_id: UUID) -> SavedView | None:
    own = [view for view in views if view.is_default and view.owner_id == user_id]
    shared = sorted((view for view in views if view.is_default and view.is_shared), key=lambda view: view.id)
    return next(iter([*own, *shared]), None)


def list_views(session: Session, user_id: UUID, page_id: str) -> Sequence[SavedView]:
    """One's own views of a page and those that colleagues share, by name."""
    with own_rows(session):
        return session.scalars(
            _visible(session, user_id)
            .where(SavedView.page_id == page_id)
            .order_by(SavedView.name, SavedView.id)
        ).all()


def get_view(session: Session, user_id: UUID, view_id: UUID) -> SavedView:
    """A view that one sees. Raises SavedViewNotFoundError."""
    with own_rows(session):
        return _seen(session, user_id, view_id)


def save_view(
    session: Session, user_id: UUID, page_id: str, name: str, query: str, *, is_shared: bool = False
) -> SavedView:
    """Keep a query string under a name; one's own view of that name is replaced. Raises ValidationFailedError."""
    name, query = _checked_name(name), _cleaned(query)
    with own_rows(session):
        mine = session.scalars(_own(session, user_id).where(SavedView.page_id == page_id)).all()
        view = next((one for one in mine if one.name == name), None)
        if view is None:
            _require_room(mine)
            view = SavedView(
                id=new_id(), vendor_id=vendor_of(session), owner_id=user_id, page_id=page_id, name=name
            )
            session.add(view)
        view.query, view.is_shared = query, is_shared
        session.flush()
    return view


def rename_view(session: Session, user_id: UUID, view_id: UUID, name: str) -> SavedView:
    """Give a view of one's own another name. Raises ValidationFailedError for a name one has already."""
    name = _checked_name(name)
    with own_rows(session):
        view = _mine(session, user_id, view_id)
        if name != view.name and _find_named(session, view, name):
            raise _name_error("taken")
        view.name = name
        session.flush()
    return view


def duplicate_view(session: Session, user_id: UUID, view_id: UUID) -> SavedView:
    """A private copy, of one's own, of a view one sees."""
    with own_rows(session):
        view = _seen(session, user_id, view_id)
        mine = session.scalars(_own(session, user_id).where(SavedView.page_id == view.page_id)).all()
        _require_room(mine)
        taken = {one.name for one in mine}
        numbers = range(2, _MAX_VIEWS + 3)
        names = (f"{view.name[: MAX_NAME - 5]} ({number})" for number in numbers)
        copy = SavedView(
            id=new_id(),
            vendor_id=view.vendor_id,
            owner_id=user_id,
            page_id=view.page_id,
            name=next(name for name in names if name not in taken),
            query=view.query,
        )
        session.add(copy)
        session.flush()
    return copy


def switch_shared(session: Session, user_id: UUID, view_id: UUID) -> SavedView:
    """Show a view of one's own to colleagues, or no longer."""
    with own_rows(session):
        view = _mine(session, user_id, view_id)
        view.is_shared = not view.is_shared
        session.flush()
    return view


def switch_default(session: Session, user_id: UUID, view_id: UUID) -> SavedView:
    """Open the list with this view, or no longer; of one's own views one at most is the default."""
    with own_rows(session):
        view = _mine(session, user_id, view_id)
        session.execute(
            update(SavedView)
            .where(*_place(session, user_id), SavedView.page_id == view.page_id, SavedView.id != view.id)
            .values(is_default=False)
        )
        view.is_default = not view.is_default
        session.flush()
    return view


def delete_view(session: Session, user_id: UUID, view_id: UUID) -> SavedView:
    """Forget a view of one's own."""
    with own_rows(session):
        view = _mine(session, user_id, view_id)
        session.delete(view)
        session.flush()
    return view


def _here(session: Session) -> Any:
    vendor_id = vendor_of(session)
    return SavedView.vendor_id == vendor_id if vendor_id else SavedView.vendor_id.is_(None)


def _place(session: Session, user_id: UUID) -> tuple[Any, ...]:
    return _here(session), SavedView.owner_id == user_id


def _own(session: Session, user_id: UUID) -> Any:
    return select(SavedView).where(*_place(session, user_id))


def _visible(session: Session, user_id: UUID) -> Any:
    return select(SavedView).where(_here(session), or_(SavedView.owner_id == user_id, SavedView.is_shared))


def _seen(session: Session, user_id: UUID, view_id: UUID) -> SavedView:
    view: SavedView | None = session.scalar(_visible(session, user_id).where(SavedView.id == view_id))
    if view is None:
        raise SavedViewNotFoundError
    return view


def _mine(session: Session, user_id: UUID, view_id: UUID) -> SavedView:
    view = _seen(session, user_id, view_id)
    if view.owner_id != user_id:
        raise SharedViewError
    return view


def _find_named(session: Session, view: SavedView, name: str) -> SavedView | None:
    found: SavedView | None = session.scalar(
        _own(session, view.owner_id).where(SavedView.page_id == view.page_id, SavedView.name == name)
    )
    return found


def _require_room(mine: Sequence[SavedView]) -> None:
    if len(mine) >= _MAX_VIEWS:
        raise _name_error("too_many", number=_MAX_VIEWS)


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise _name_error("empty")
    if len(name) > MAX_NAME:
        raise _name_error("too_long", number=MAX_NAME)
    return name


def _name_error(code: str, **params: int) -> ValidationFailedError:
    key = f"core.views.name_{code}"
    return ValidationFailedError(
        "The view cannot have this name.", errors=[FieldError("name", code, key, params)]
    )


def _cleaned(query: str) -> str:
    items = parse_qsl(query[:_MAX_QUERY].removeprefix("?"), max_num_fields=_MAX_QUERY)
    return urlencode([(name, value) for name, value in items if name not in _NOT_PART_OF_A_VIEW])
