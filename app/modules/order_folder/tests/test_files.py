"""Files of orders: what is read, what is kept with a fault, what is put aside."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.marketplace.contracts import UnitState
from app.modules.order_folder.adapters.order_csv import OrderFileError, external_order, read_orders
from app.modules.order_folder.services.order_folder_service import OrderFolderChannel

_GOOD = 'order,line,title,quantity,unit_price\nA-1,1,Chair,2,12.50\nA-1,2,Lamp,1,3\nA-2,1,Vase,1,"7,5"\n'


@pytest.fixture
def channel(tmp_path: Path) -> OrderFolderChannel:
    (tmp_path / "minett" / "orders").mkdir(parents=True)
    return OrderFolderChannel(tmp_path / "minett")


def drop(folder: Path, name: str, text: str) -> None:
    (folder / "minett" / "orders" / name).write_text(text, "utf-8")


def test_amounts_units_and_separators() -> None:
    for text in (_GOOD, "\ufeff" + _GOOD.replace('"7,5"', "7.5").replace(",", ";")):
        orders = read_orders(text.encode())
        assert {key: len(rows) for key, rows in orders.items()} == {"A-1": 2, "A-2": 1}
        order = external_order("A-1", orders["A-1"], {}, None).order
        assert order is not None
        assert [(line.quantity, line.unit_price_cents) for line in order.lines] == [(2, 1250), (1, 300)]
        assert order.lines[0].external_unit_ids == ("A-1/1/1", "A-1/1/2")
        order = external_order("A-2", orders["A-2"], {}, None).order
        assert order is not None
        assert order.lines[0].unit_price_cents == 750


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("A-1,1,Chair,0,1,LU", "quantity"),
        ("A-1,1,Chair,x,1,LU", "quantity"),
        ("A-1,1,Chair,1,1.234,LU", "price"),
        ("A-1,1,Chair,1,-1,LU", "price"),
        ("A-1,1,,1,1,LU", "title"),
        ("A-1,1,Chair,1,1,Luxembourg", "country"),
        ("A-1,1,Chair,1,1,LU\nA-1,1,Lamp,1,1,LU", "line_twice"),
    ],
)
def test_an_order_that_cannot_be_read_is_kept_with_its_fault(row: str, fault: str) -> None:
    rows = read_orders(f"order,line,title,quantity,unit_price,country\n{row}\n".encode())["A-1"]
    found = external_order("A-1", rows, {}, None)
    assert (found.order, found.fault) == (None, f"order-folder.{fault}")
    assert found.raw["rows"] == rows


@given(st.binary(max_size=300))
def test_any_bytes_are_orders_or_a_reason(content: bytes) -> None:
    for head in (b"", b"order,line,title,quantity,unit_price\n"):
        try:
            orders = read_orders(head + content)
        except OrderFileError:
            continue
        for key, rows in orders.items():
            found = external_order(key, rows, {}, None)
            assert (found.order is None) == (found.fault is not None)


def test_broken_files_are_put_aside_with_the_reason(channel: OrderFolderChannel, tmp_path: Path) -> None:
    drop(tmp_path, "good.csv", _GOOD)
    drop(tmp_path, "bad.csv", "number,price\n1,2\n")
    drop(tmp_path, "part.txt", _GOOD.replace("A-", "B-"))
    (tmp_path / "secret").write_text(_GOOD.replace("A-", "C-"))
    (tmp_path / "minett" / "orders" / "link.csv").symlink_to(tmp_path / "secret")
    for _ in range(2):
        assert [order.external_id for order in channel.read_open(None).orders] == ["A-1", "A-2"]
    folder = tmp_path / "minett"
    assert [path.name for path in (folder / "done").iterdir()] == ["good.csv"]
    assert sorted(path.name for path in (folder / "failed").iterdir()) == ["bad.csv", "bad.csv.error.txt"]
    assert "does not name order" in (folder / "failed" / "bad.csv.error.txt").read_text()
    assert sorted(path.name for path in (folder / "orders").iterdir()) == ["link.csv", "part.txt"]


def test_a_later_file_changes_lines_and_keeps_what_was_decided(
    channel: OrderFolderChannel, tmp_path: Path
) -> None:
    drop(tmp_path, "one.csv", _GOOD)
    channel.read_open(None)
    channel.decide("A-1", {"A-1/1/1": True, "A-1/1/2": True, "A-1/2/1": False}, key="k1")
    drop(tmp_path, "one.csv", _GOOD.replace("Chair,2", "Chair,3"))
    found = channel.read_order("A-1")
    assert found is not None
    assert {unit.id: unit.state for unit in found.units} == {
        "A-1/1/1": UnitState.AVAILABLE,
        "A-1/1/2": UnitState.AVAILABLE,
        "A-1/1/3": UnitState.OPEN,
        "A-1/2/1": UnitState.UNAVAILABLE,
    }
    assert sorted(path.name for path in (tmp_path / "minett" / "done").iterdir()) == ["one-2.csv", "one.csv"]
