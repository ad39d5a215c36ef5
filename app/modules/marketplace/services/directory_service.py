"""The directory of a marketplace's shops: read page by page, compared with what was known, looked through.

Rows are written in the operator's scope. A sync reads with no transaction open and stores each page in its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from app.core import clock
from app.core.errors import NotFoundError
from app.modules.marketplace.contracts import CONNECTORS, Ability, Connector, DirectoryShop
from app.modules.marketplace.models.connection import Connection
from app.modules.marketplace.models.directory_shop import ListedShop
from app.tasks.dispatcher import dispatch
from app.tasks.ledger import JobRef
from app.tasks.models import Job

SHOP_PREFIX = "dsh"
TASK = "app.modules.marketplace.tasks.letzshop.sync_vendor_directory"
_FIELDS = (
    *("slug", "name", "company_name", "email", "phone", "homepage"),
    *("street", "postcode", "city", "country"),
)
_MOST_PAGES = 2000
_CLAIMABLE = 20


@dataclass(frozen=True, slots=True)
class Stored:
    """What a page of a directory brought."""

    shops: int
    new: int
    changed: int


def directories() -> list[Connector]:
    """The marketplaces that list their shops."""
    return [one for one in CONNECTORS.implementations() if Ability.DIRECTORY in one.abilities]


def is_used(session: Session, connector: str) -> bool:
    """Whether any vendor trades at the marketplace."""
    found = select(Connection.id).where(Connection.connector == connector, Connection.is_on).limit(1)
    return session.scalar(found) is not None


def start_sync(session: Session, connector: str, *, user_id: UUID | None) -> JobRef:
    """Have a directory read again; while one is being read, that is the job. Raises NotFoundError."""
    if connector not in {one.code for one in directories()}:
        raise NotFoundError
    options: dict[str, Any] = {"created_by": user_id, "unique_key": f"marketplace:directory:{connector}"}
    return dispatch(session, TASK, kwargs={"connector": connector}, **options)


def last_syncs(session: Session, *, limit: int = 5) -> Sequence[Job]:
    """The latest syncs, the newest first; their results say what they found."""
    return session.scalars(select(Job).where(Job.task == TASK).order_by(Job.id.desc()).limit(limit)).all()


def sync(
    session: Session,
    connector: str,
    state: Mapping[str, Any] | None,
    checkpoint: Callable[[Mapping[str, Any], int, int | None], None],
) -> dict[str, int]:
    """Read a whole directory; ``state`` is the last checkpoint's, so that a killed sync goes on at its page.

    Shops that no page showed are marked as gone. Raises as the connector does; what was stored stays.
    """
    found = next((one for one in directories() if one.code == connector), None)
    if found is None:
        raise NotFoundError
    done = dict(
        state or {"cursor": None, "began": clock.now().isoformat(), "shops": 0, "new": 0, "changed": 0}
    )
    checkpoint(done, done["shops"], None)
    for _ in range(_MOST_PAGES):
        page = found.read_directory(done["cursor"])
        stored = store_page(session, connector, page.shops)
        done["cursor"] = page.cursor
        for name in ("shops", "new", "changed"):
            done[name] += getattr(stored, name)
        checkpoint(done, done["shops"], page.total)
        if page.cursor is None:
            break
    gone = mark_gone(session, connector, datetime.fromisoformat(done["began"]))
    return {"shops": done["shops"], "new": done["new"], "changed": done["changed"], "gone": gone}


def store_page(session: Session, connector: str, shops: Sequence[DirectoryShop]) -> Stored:
    """Keep some shops as they are shown now, and what is different from before."""
    now = clock.now()
    given = {one.external_id: one for one in shops}
    statement = select(ListedShop).where(
        ListedShop.connector == connector,
        or_(ListedShop.external_id.in_(given), ListedShop.slug.in_({one.slug for one in shops})),
    )
    rows = session.scalars(statement).all()
    known = {row.external_id: row for row in rows}
    # A shop that was made anew there, under the same address, is the same shop to us.
    renewed = {row.slug: row for row in rows if row.external_id not in given}
    new = changed = 0
    for external_id, shop in given.items():
        row = known.get(external_id) or renewed.get(shop.slug)
        values = {name: getattr(shop, name) for name in _FIELDS}
        if row is None:
            row = ListedShop(connector=connector, external_id=external_id, seen_at=now, **values)
            row.is_open = shop.is_active
            session.add(row)
            new += 1
            continue
        before = {name: getattr(row, name) for name in values} | {"is_open": row.is_open}
        after = values | {"is_open": shop.is_active}
        different = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
        if different or row.gone_at:
            row.changes, row.changed_at, row.gone_at = different, now, None
            changed += 1
        for name in different:
            setattr(row, name, after[name])
        row.seen_at, row.external_id = now, external_id
    session.flush()
    return Stored(len(given), new, changed)


def mark_gone(session: Session, connector: str, since: datetime) -> int:
    """Mark what was not seen since; how many."""
    statement = (
        update(ListedShop)
        .where(ListedShop.connector == connector, ListedShop.seen_at < since, ListedShop.gone_at.is_(None))
        .values(gone_at=clock.now())
        .returning(ListedShop.id)
    )
    return len(session.execute(statement).all())


def get_shop(session: Session, shop_id: UUID, *, lock: bool = False) -> ListedShop:
    """One of them. Raises NotFoundError."""
    found = session.get(ListedShop, shop_id, with_for_update=lock or None)
    if found is None:
        raise NotFoundError
    return found


def shop_of(session: Session, connector: str, vendor_id: UUID) -> ListedShop | None:
    """Which shop a vendor is, as the operator confirmed."""
    return session.scalar(
        select(ListedShop).where(ListedShop.connector == connector, ListedShop.vendor_id == vendor_id)
    )


def find_free(session: Session, words: str) -> Sequence[ListedShop]:
    """Shops nobody of ours is, whose name, company, place or address in the directory holds the words."""
    if len(words.strip()) < 2:
        return ()
    free = (ListedShop.vendor_id.is_(None), ListedShop.gone_at.is_(None))
    statement = select(ListedShop).where(*free, matching(_slug_in(words.strip())))
    return session.scalars(statement.order_by(func.lower(ListedShop.name)).limit(_CLAIMABLE)).all()


def _slug_in(words: str) -> str:
    """The last part of an address that somebody pasted; other words as they are."""
    return words.rstrip("/").rpartition("/")[2] if "//" in words else words


def matching(words: str) -> ColumnElement[bool]:
    """Whose name, company, address, mail or place holds the words."""
    looked_in = (
        *(ListedShop.name, ListedShop.slug, ListedShop.company_name),
        *(ListedShop.email, ListedShop.homepage, ListedShop.city),
    )
    return or_(*(column.icontains(words, autoescape=True) for column in looked_in))


def states(session: Session) -> Iterator[tuple[str, int]]:
    """How many shops are there, were found new by the latest sync, changed, are gone, are ours, and are claimed."""
    for name, condition in CONDITIONS.items():
        yield name, session.scalar(select(func.count()).select_from(ListedShop).where(condition)) or 0


_RECENT = func.now() - func.make_interval(0, 0, 0, 7)
CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "there": ListedShop.gone_at.is_(None),
    "new": ListedShop.created_at > _RECENT,
    "changed": and_(ListedShop.changed_at > _RECENT, ListedShop.gone_at.is_(None)),
    "gone": ListedShop.gone_at.is_not(None),
    "ours": ListedShop.vendor_id.is_not(None),
    "claimed": and_(ListedShop.claimed_by.is_not(None), ListedShop.vendor_id.is_(None)),
}


def select_shops() -> Select[Any]:
    """All of them, column by column, for lists."""
    return select(*ListedShop.__table__.columns)
