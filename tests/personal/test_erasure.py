"""Erasing a person: planted in every personal column, found nowhere afterwards but where it is kept."""

import zipfile
from datetime import UTC, date, datetime
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Date, DateTime, Engine, LargeBinary, Text, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR
from sqlalchemy.schema import Column, Table

from app.core.config import get_settings
from app.core.database import TenantScope, unit_of_work
from app.core.ids import to_public
from app.core.storage import get_storage
from app.core.tables import ERASE, NOT_PERSONAL, Base, Personal
from app.modules.core.models.list_job import ListJob
from app.modules.customers.contracts import Address, Buyer
from app.modules.customers.enums import ConsentPurpose, RequestKind
from app.modules.customers.facade import ensure_customer, save_address
from app.modules.customers.models.customer import Customer
from app.modules.customers.models.request import DataRequest
from app.modules.customers.services import customer_edit_service, data_request_service, personal_data_service
from app.modules.customers.services.merge_service import merge_customers
from app.modules.personal import erase_person, find_person, subject_of
from app.testing.browsing import sign_in
from app.testing.working import work

PLANT, KEPT, OTHER = "zzplantzz", "zzkeptzz", "zzotherzz"
EMAIL, OTHER_EMAIL = f"{PLANT}@mail.example", f"{OTHER}@mail.example"
Row = dict[str, Any]


@pytest.fixture
def vendors(world: object, owner_engine: Engine) -> tuple[UUID, UUID]:
    """The vendor that erases, and another."""
    with owner_engine.connect() as connection:
        found: dict[str, UUID] = dict(connection.execute(text("SELECT code, id FROM vendors")).tuples().all())
    return found["MOSELLE"], found["MINETT"]


def personal_tables() -> list[Table]:
    """Tables whose rows can be about a customer, those that others stand on first."""
    return [
        table
        for table in Base.metadata.sorted_tables
        if table.info["personal"] != NOT_PERSONAL and (leads_to_customer(table) or is_found_by_text(table))
    ]


def leads_to_customer(table: Table) -> bool:
    parent = subject_of(table, table.info["personal"])
    return parent is not None and (
        table.name == "customers" or (parent is not table and leads_to_customer(parent))
    )


def is_found_by_text(table: Table) -> bool:
    return bool(table.info["personal"].mentions or table.info["personal"].targets)


def words(column: Column[Any], said: str) -> Any:
    kind = column.type
    if isinstance(kind, JSONB):
        return {"said": said}
    if isinstance(kind, ARRAY):
        return [said]
    if isinstance(kind, TSVECTOR):
        return text(f"to_tsvector('simple', '{said}')")
    return said.encode() if isinstance(kind, LargeBinary) else said


def anything(column: Column[Any]) -> Any:
    """A value that says nothing of anybody."""
    kind = column.type
    if isinstance(kind, Text | JSONB | ARRAY | TSVECTOR | LargeBinary):
        return words(column, uuid4().hex)
    if isinstance(kind, DateTime):
        return datetime.now(UTC)
    if isinstance(kind, Date):
        return date(2026, 1, 2)
    plain = {UUID: uuid4(), int: uuid4().int % 30_000, bool: False}
    return plain.get(kind.python_type, 0)


def row_of(table: Table, vendor_id: UUID, parents: dict[str, UUID], word: str, email: str, kept: str) -> Row:
    """A row about a person, with a word of theirs in each personal column."""
    personal: Personal = table.info["personal"]
    row: Row = {}
    for column in table.columns:
        if column.computed is not None or column.identity is not None:
            continue
        treatment = personal.columns.get(column.name)
        said = f"{word} {email} {column.name}" if treatment == ERASE else kept
        if column.name in personal.handles or column.name in personal.mentions:
            said = email
        is_date = isinstance(column.type, Date | DateTime)
        row[column.name] = words(column, said) if treatment and not is_date else anything(column)
    for name in personal.targets:
        if personal.columns.get(name) != ERASE:
            row[name] = to_public("cus", parents["customers"])
    if "vendor_id" in row:
        row["vendor_id"] = vendor_id
    if "id" in row:
        row["id"] = parents.setdefault(table.name, row["id"])
    if "merged_into_id" in row:
        row["merged_into_id"] = None
    if "storage_key" in row:
        row["storage_key"] = None
    parent = subject_of(table, personal)
    if personal.subject and parent is not None and parent is not table:
        row[personal.subject] = parents[parent.name]
    return row


def plant(owner: Engine, vendor_id: UUID, word: str, email: str, kept: str) -> UUID:
    """A row about a person in each table; the id of the customer."""
    parents: dict[str, UUID] = {"customers": uuid4()}
    with owner.begin() as connection:
        for table in personal_tables():
            connection.execute(insert(table).values(**row_of(table, vendor_id, parents, word, email, kept)))
    return parents["customers"]


def take_off_constraints(owner: Engine) -> None:
    """Foreign keys and checks of the personal tables: rows are made from the column types alone."""
    names = [table.name for table in personal_tables()]
    with owner.begin() as connection:
        found = connection.execute(
            text(
                "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype IN ('f', 'c') "
                "AND conrelid::regclass::text = ANY(:names) AND conparentid = 0"
            ),
            {"names": names},
        ).all()
        for name, constraint in found:
            connection.exec_driver_sql(f'ALTER TABLE {name} DROP CONSTRAINT IF EXISTS "{constraint}"')


def tables_with(owner: Engine, *said: str) -> list[Table]:
    """Tables that have one of the words in a row: as text, or as the bytes of one."""
    one = "SELECT '{0}' WHERE EXISTS (SELECT FROM {0} AS t WHERE lower(t::text) LIKE ANY (:patterns))"
    everywhere = " UNION ALL ".join(one.format(name) for name in Base.metadata.tables)
    patterns = [f"%{form}%" for word in said for form in (word, word.encode().hex())]
    with owner.connect() as connection:
        found = connection.scalars(text(everywhere), {"patterns": patterns}).all()
    return [Base.metadata.tables[name] for name in found]


def places_with(owner: Engine, word: str) -> set[str]:
    """Every column of every table in which a word stands."""
    places = set()
    for table in tables_with(owner, word):
        with owner.connect() as connection:
            for row in connection.execute(select(table)).mappings():
                for name, value in row.items():
                    said = value.decode() if isinstance(value, bytes) else str(value)
                    if word in said.lower():
                        places.add(f"{table.name}.{name}")
    return places


def test_what_is_planted_in_every_personal_column_is_found_nowhere_afterwards(
    vendors: tuple[UUID, UUID], owner_engine: Engine
) -> None:
    ours, theirs = vendors
    take_off_constraints(owner_engine)
    key = plant(owner_engine, ours, PLANT, EMAIL, KEPT)
    plant(owner_engine, ours, OTHER, OTHER_EMAIL, OTHER)
    # The same person is known to another vendor too: that is another relation, which stays.
    plant(owner_engine, theirs, "zztheirszz", "zztheirszz@mail.example", "zztheirszz")
    erasable = {
        f"{table.name}.{name}"
        for table in personal_tables()
        for name, treatment in table.info["personal"].columns.items()
        if treatment == ERASE
    }
    assert places_with(owner_engine, PLANT) >= erasable
    others, kept = places_with(owner_engine, OTHER), places_with(owner_engine, KEPT)
    with unit_of_work(TenantScope(ours)) as session:
        counts = erase_person(session, find_person(session, "customers", [key], vendor_id=ours))
    assert set(counts) >= {place.partition(".")[0] for place in erasable}
    assert tables_with(owner_engine, PLANT) == []
    assert places_with(owner_engine, OTHER) == others
    assert places_with(owner_engine, KEPT) == kept
    assert places_with(owner_engine, "zztheirszz") >= erasable


def real_customer(vendor_id: UUID) -> UUID:
    """Somebody with everything that this module keeps, whose data was copied and exported."""
    buyer = Buyer(
        EMAIL, f"{PLANT}first", f"{PLANT}last", f"{PLANT}firm", f"{PLANT}vat", f"{PLANT}phone", "de"
    )
    names = ("name", "company", "line1", "line2", "postcode", "city", "phone")
    place = Address(**{name: f"{PLANT}{name}" for name in names}, country="LU")
    with unit_of_work(TenantScope(vendor_id)) as session:
        known = ensure_customer(session, buyer, channel="shop")
        assert known
        key = known.id
        save_address(session, key, place, is_shipping_default=True)
        row = session.get_one(Customer, key)
        customer_edit_service.block_customer(session, row, f"{PLANT} does not pay")
        customer_edit_service.record_consent(session, row, ConsentPurpose.OFFERS, True, source="shop")
        data_request_service.ask(session, row, RequestKind.EXPORT, user_id=uuid4(), reason=f"{PLANT} asked")
    work(timeout_seconds=60)
    return key


def write_mail(folder: Path) -> None:
    message = EmailMessage()
    message["To"], message["Subject"] = EMAIL, "Ihre Bestellung"
    message.set_content("Größe M, für Sie reserviert", cte="base64")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "one.eml").write_bytes(message.as_bytes())


def write_list(vendor_id: UUID) -> None:
    """A list that somebody exported."""
    key = "core/exports/planted.csv"
    get_storage(get_settings()).save(key, BytesIO(f"Name\n{PLANT}last\n".encode()))
    with unit_of_work(TenantScope(vendor_id)) as session:
        what = {"kind": "export", "area": "vendor", "page_id": "customers.vendor.customers", "query": ""}
        session.add(
            ListJob(
                vendor_id=vendor_id,
                language="en",
                storage_key=key,
                file_name="a.csv",
                created_by=uuid4(),
                **what,
            )
        )


def files_with(folder: Path, word: str) -> list[str]:
    """Files in which a word stands, also packed or encoded."""
    found = []
    for path in filter(Path.is_file, folder.rglob("*")):
        content = [path.read_bytes()]
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                content += [archive.read(name) for name in archive.namelist()]
        if any(word.encode() in one.lower() for one in content):
            found.append(path.name)
    return found


def test_a_person_is_copied_then_erased_by_jobs_in_tables_files_outbox_queue_and_log(
    vendors: tuple[UUID, UUID], client: TestClient, owner_engine: Engine, capfd: pytest.CaptureFixture[str]
) -> None:
    ours, _ = vendors
    data_dir = get_settings().data_dir
    key = real_customer(ours)
    public = to_public("cus", key)
    sign_in(client, "vendor", "owner@moselle.example")
    client.cookies.set("wm_lang", "en")
    page = client.get(f"/vendor/MOSELLE/customers/{public}").text
    link = next(part.split('"')[0] for part in page.split('href="') if "/exports/cdr_" in part.split('"')[0])
    (data_dir / "copy.zip").write_bytes(client.get(link).content)
    with zipfile.ZipFile(data_dir / "copy.zip") as archive:
        copied = archive.read("data.json").decode()
    (data_dir / "copy.zip").unlink()
    assert all(f"{PLANT}{name}" in copied for name in ("first", "line1", "vat"))
    write_mail(data_dir / "outbox")
    write_list(ours)
    assert len(files_with(data_dir, PLANT)) == 3
    assert PLANT in client.get("/vendor/MOSELLE/customers?q=" + PLANT).text
    with unit_of_work(TenantScope(ours)) as session:
        row = session.get_one(Customer, key)
        data_request_service.ask(session, row, RequestKind.ERASE, user_id=uuid4(), reason=f"{PLANT} wants it")
    work(timeout_seconds=60)
    assert tables_with(owner_engine, PLANT) == []
    assert files_with(data_dir, PLANT) == []
    assert PLANT not in "".join(capfd.readouterr())
    with unit_of_work(TenantScope(ours)) as session:
        assert session.get_one(Customer, key).erased_at is not None
        asked = session.scalars(select(DataRequest.kind).where(DataRequest.customer_id == key)).all()
        assert sorted(asked) == ["erase", "export"]
        assert len(customer_edit_service.list_consents(session, key)) == 1
    assert "Erased person" in client.get(f"/vendor/MOSELLE/customers/{public}").text


def test_who_was_merged_goes_with_the_person(vendors: tuple[UUID, UUID], owner_engine: Engine) -> None:
    ours, _ = vendors
    with unit_of_work(TenantScope(ours)) as session:
        first = ensure_customer(session, Buyer(f"old.{EMAIL}", PLANT, "Old"), channel="shop")
        second = ensure_customer(session, Buyer(EMAIL, PLANT, "New"), channel="shop")
        assert first
        assert second
        merge_customers(session, first.id, second.id)
        personal_data_service.erase_customer(session, second.id)
    assert tables_with(owner_engine, PLANT) == []
