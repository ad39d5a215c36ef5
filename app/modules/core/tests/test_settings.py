"""Settings: declared, changed, fixed by the environment; menus; modules of a platform."""

import pytest

from app.core.database import SYSTEM, PlatformScope, unit_of_work
from app.core.errors import ConfigurationError, ConflictError, ForbiddenError, ValidationFailedError
from app.core.ids import new_id
from app.modules import lifecycle, state
from app.modules.core import facade as core
from app.modules.core.enums import SettingSource
from app.modules.core.exceptions import MandatoryPageError, SettingLockedError, SettingNotFoundError
from app.modules.core.services import menu_service, module_service
from app.modules.core.services import setting_service as settings
from app.modules.core.tests.conftest import Place
from app.modules.tenancy import facade as tenancy

DAYS, SETUP = "core.notification_days", "core.show_setup"


def change(place: Place, key: str, text: str, *, version: int | None = None) -> None:
    with place.session() as session:
        area = "vendor" if place.vendor_id else "admin"
        settings.change_setting(session, area, key, text, version=version, by=place.user_id)  # type: ignore[arg-type]


def known(place: Place, key: str) -> settings.Known:
    with place.session() as session:
        area = "vendor" if place.vendor_id else "admin"
        found = settings.list_settings(session, area)  # type: ignore[arg-type]
        return next(one for one in found if one.setting.key == key)


def test_a_default_stands_until_somebody_changes_it(moselle: Place, operator: Place) -> None:
    assert (known(operator, DAYS).value, known(operator, DAYS).source) == (90, SettingSource.DEFAULT)
    change(operator, DAYS, "1 20")
    now = known(operator, DAYS)
    assert (now.value, now.source, now.changed_by) == (120, SettingSource.DATABASE, operator.user_id)
    with moselle.session() as session:
        assert core.read_setting(session, DAYS) == 120
    with operator.session() as session:
        settings.reset_setting(session, "admin", DAYS, by=operator.user_id)
    assert known(operator, DAYS).source == SettingSource.DEFAULT
    acts = operator.rows("SELECT details FROM audit_log WHERE action = 'core.setting_changed' ORDER BY id")
    assert [(row.details["former"], row.details["value"]) for row in acts] == [(90, 120), (120, 90)]


def test_vendors_have_values_of_their_own(moselle: Place, minett: Place) -> None:
    change(moselle, SETUP, "off")
    assert (known(moselle, SETUP).value, known(minett, SETUP).value) == (False, True)


def test_the_environment_wins_and_locks(operator: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    change(operator, DAYS, "120")
    monkeypatch.setenv("CORE_NOTIFICATION_DAYS", "30")
    assert (known(operator, DAYS).value, known(operator, DAYS).source) == (30, SettingSource.ENVIRONMENT)
    with pytest.raises(SettingLockedError):
        change(operator, DAYS, "60")
    monkeypatch.setenv("CORE_NOTIFICATION_DAYS", "many")
    with pytest.raises(ConfigurationError, match="CORE_NOTIFICATION_DAYS"):
        known(operator, DAYS)


@pytest.mark.parametrize("text", ["", "6", "731", "-7", "ten", "7.5"])
def test_values_are_checked(operator: Place, text: str) -> None:
    with pytest.raises(ValidationFailedError):
        change(operator, DAYS, text)


def test_only_the_operator_of_everything_changes_settings_of_the_installation(
    operator: Place, moselle: Place
) -> None:
    with unit_of_work(PlatformScope((new_id(),), ())) as session, pytest.raises(ForbiddenError):
        settings.change_setting(session, "admin", DAYS, "30", version=None, by=operator.user_id)
    with moselle.session() as session, pytest.raises(SettingNotFoundError):
        settings.change_setting(session, "vendor", DAYS, "30", version=None, by=moselle.user_id)
    assert known(operator, DAYS).value == 90


def test_a_stale_form_changes_nothing(operator: Place) -> None:
    change(operator, DAYS, "60", version=0)
    with pytest.raises(ConflictError):
        change(operator, DAYS, "90", version=0)


def test_hidden_pages_are_stored_and_mandatory_ones_stay(operator: Place) -> None:
    with unit_of_work(SYSTEM) as session:
        platform_id = tenancy.list_platforms(session)[0].id
        menu_service.set_hidden(
            session, platform_id, ["catalog.vendor.products", "no.such.page"], by=operator.user_id
        )
    state.forget_snapshot()
    assert menu_service.hidden_pages([platform_id]) == {"catalog.vendor.products"}
    assert menu_service.hidden_pages([platform_id, new_id()]) == frozenset()
    with unit_of_work(SYSTEM) as session, pytest.raises(MandatoryPageError):
        menu_service.set_hidden(session, platform_id, ["core.vendor.home"], by=operator.user_id)
    with unit_of_work(SYSTEM) as session:
        menu_service.set_hidden(session, platform_id, [], by=operator.user_id)
    state.forget_snapshot()
    assert menu_service.hidden_pages([platform_id]) == frozenset()


def test_a_switch_is_previewed(operator: Place) -> None:
    with unit_of_work(SYSTEM) as session:
        platform_id = tenancy.list_platforms(session)[0].id
        found = {one.definition.code: one for one in module_service.switches(session, platform_id)}
        assert "core" not in found
        assert found["catalog"].needed_by == ("inventory", "marketplace", "orders")
        assert not found["catalog"].can_switch
        for code in ("order-folder", "marketplace", "inventory", "orders", "catalog"):
            lifecycle.disable(session, platform_id, code, by=operator.user_id)
        found = {one.definition.code: one for one in module_service.switches(session, platform_id)}
        assert found["marketplace"].also == ("catalog", "orders")
        assert found["marketplace"].can_switch


@pytest.mark.demo_due
def test_what_is_known_of_modules(operator: Place) -> None:
    with operator.session() as session:
        found = {one.definition.code: one for one in module_service.list_modules(session)}
        sizes = {row["name"]: row for row in module_service.table_sizes(session, "core")}
    assert {one.pending for one in found.values()} == {0}
    assert (found["core"].state, found["catalog"].state) == ("always", "on")
    assert sizes["saved_views"]["bytes"] > 0
    assert module_service.layers()[0] == ["tenancy"]
    assert "core" in module_service.needed_by("tenancy")
    assert module_service.revisions_of("core")[0] == "core_0001"
