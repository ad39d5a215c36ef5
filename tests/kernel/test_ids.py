from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import from_public, new_id, to_public


def test_new_ids_are_version_7_unique_and_ordered() -> None:
    made = [new_id() for _ in range(1000)]
    assert {key.version for key in made} == {7}
    assert len(set(made)) == 1000
    assert made == sorted(made)
    assert type(made[0]) is UUID


@given(st.uuids(allow_nil=True))
def test_public_form_round_trips(key: UUID) -> None:
    text = to_public("prd", key)
    assert len(text) == len("prd_") + 26
    assert from_public("prd", text) == key
    assert from_public("ord", text) is None


@given(first=st.uuids(), second=st.uuids())
def test_public_form_keeps_the_order(first: UUID, second: UUID) -> None:
    assert (to_public("x", first) < to_public("x", second)) == (first < second)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "prd",
        "prd_",
        "prd_123",
        "prd_" + "u" * 26,
        "prd_" + "z" * 26,
        "prd_" + "0" * 27,
        "prd_" + "É" * 26,
    ],
)
def test_rubbish_is_not_an_id(text: str) -> None:
    assert from_public("prd", text) is None


@given(st.text())
def test_any_text_is_refused_or_canonical(text: str) -> None:
    key = from_public("prd", "prd_" + text)
    assert key is None or to_public("prd", key) == "prd_" + text
