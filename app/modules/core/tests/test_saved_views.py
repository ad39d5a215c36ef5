"""Views of lists: one's own, shared ones, and the one a list opens with."""

from dataclasses import replace

import pytest

from app.core.database import SYSTEM, PlatformScope, unit_of_work
from app.core.errors import ValidationFailedError
from app.modules.core.exceptions import SavedViewNotFoundError, SharedViewError
from app.modules.core.services import saved_view_service as views
from app.modules.core.tests.conftest import Place
from app.modules.tenancy import facade as tenancy

PAGE = "catalog.vendor.products"


def names(place: Place, user_id: object = None) -> list[str]:
    with place.session() as session:
        return [view.name for view in views.list_views(session, user_id or place.user_id, PAGE)]  # type: ignore[arg-type]


def test_a_view_keeps_the_state_but_not_the_page(moselle: Place) -> None:
    with moselle.session() as session:
        view = views.save_view(
            session, moselle.user_id, PAGE, "  Cheap   ones ", "?q=a&sort=price&after=x&page=3"
        )
        assert (view.name, view.query) == ("Cheap ones", "q=a&sort=price")


def test_saving_under_the_same_name_replaces(moselle: Place) -> None:
    for query in ("q=a", "q=b"):
        with moselle.session() as session:
            views.save_view(session, moselle.user_id, PAGE, "Mine", query)
    with moselle.session() as session:
        assert [view.query for view in views.list_views(session, moselle.user_id, PAGE)] == ["q=b"]


@pytest.mark.parametrize(("name", "code"), [("", "empty"), ("   ", "empty"), ("x" * 61, "too_long")])
def test_names_are_checked(moselle: Place, name: str, code: str) -> None:
    with moselle.session() as session, pytest.raises(ValidationFailedError) as refused:
        views.save_view(session, moselle.user_id, PAGE, name, "")
    assert refused.value.errors[0].code == code


def test_colleagues_see_shared_views_and_only_the_owner_changes_them(moselle: Place) -> None:
    colleague = moselle.colleague_id
    with moselle.session() as session:
        view = views.save_view(session, moselle.user_id, PAGE, "Mine", "q=a")
    assert names(moselle, colleague) == []
    with moselle.session() as session:
        with pytest.raises(SavedViewNotFoundError):
            views.delete_view(session, colleague, view.id)
        views.switch_shared(session, moselle.user_id, view.id)
    assert names(moselle, colleague) == ["Mine"]
    with moselle.session() as session:
        for change in (views.switch_shared, views.switch_default, views.delete_view):
            with pytest.raises(SharedViewError):
                change(session, colleague, view.id)
        with pytest.raises(SharedViewError):
            views.rename_view(session, colleague, view.id, "Ours")
        copy = views.duplicate_view(session, colleague, view.id)
        assert (copy.name, copy.owner_id, copy.is_shared) == ("Mine (2)", colleague, False)
    with moselle.session() as session:
        views.delete_view(session, moselle.user_id, view.id)
    assert names(moselle, colleague) == ["Mine (2)"]


def test_one_default_at_most_of_ones_own(moselle: Place) -> None:
    with moselle.session() as session:
        one, two = (views.save_view(session, moselle.user_id, PAGE, name, "q=a") for name in ("One", "Two"))
        views.switch_default(session, moselle.user_id, one.id)
        views.switch_default(session, moselle.user_id, two.id)
    with moselle.session() as session:
        found = views.list_views(session, moselle.user_id, PAGE)
        assert [(view.name, view.is_default) for view in found] == [("One", False), ("Two", True)]


def test_renaming_to_a_name_one_has_is_refused(moselle: Place) -> None:
    with moselle.session() as session:
        one, _ = (views.save_view(session, moselle.user_id, PAGE, name, "") for name in ("One", "Two"))
        with pytest.raises(ValidationFailedError):
            views.rename_view(session, moselle.user_id, one.id, "Two")
        assert views.rename_view(session, moselle.user_id, one.id, "Three").name == "Three"


def test_another_vendors_views_do_not_exist(moselle: Place, minett: Place) -> None:
    with moselle.session() as session:
        view = views.save_view(session, moselle.user_id, PAGE, "Mine", "q=a", is_shared=True)
    assert names(minett) == []
    with minett.session() as session, pytest.raises(SavedViewNotFoundError):
        views.duplicate_view(session, minett.user_id, view.id)


def test_an_admin_of_some_platforms_has_views_too(operator: Place) -> None:
    with unit_of_work(SYSTEM) as session:
        platform_id = tenancy.list_platforms(session)[0].id
    part = replace(operator, scope=PlatformScope((platform_id,), ()))
    with part.session() as session:
        view = views.save_view(session, part.user_id, PAGE, "Mine", "q=a")
    assert names(part) == ["Mine"]
    with part.session() as session:
        views.switch_shared(session, part.user_id, view.id)
        views.delete_view(session, part.user_id, view.id)
    assert names(part) == []
