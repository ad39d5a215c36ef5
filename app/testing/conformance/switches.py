"""The module with all others, with no more than it requires, and off."""

import pytest
from fastapi.testclient import TestClient

from app.core.database import SYSTEM, unit_of_work
from app.core.observability import HealthStatus
from app.modules import lifecycle
from app.modules.base import ModuleClass
from app.modules.lifecycle import ModuleSwitchError
from app.modules.menu import pages
from app.modules.observability import module_checks, platform_health
from app.modules.registry import get_module, modules
from app.modules.state import forget_snapshot
from app.modules.tasks import schedule_is_on
from app.modules.web import create_app
from app.testing.browsing import token_of
from app.testing.conformance.module import (
    HOME,
    Conformance,
    Way,
    dependents,
    enter,
    installed_only,
    platform_ids,
    stands_on,
    ways,
)
from app.testing.database import Database


def _switch_off(codes: list[str]) -> list[str]:
    """Switch modules off on every platform, in the given order; core modules stay on. Returns what was switched."""
    off = [code for code in codes if get_module(code).module_class is not ModuleClass.CORE]
    for platform_id in platform_ids():
        with unit_of_work(SYSTEM) as session:
            for code in off:
                lifecycle.disable(session, platform_id, code)
    forget_snapshot()
    return off


def _switch_on(codes: list[str]) -> None:
    for platform_id in platform_ids():
        with unit_of_work(SYSTEM) as session:
            for code in codes:
                lifecycle.enable(session, platform_id, code)
    forget_snapshot()


def _plain_pages(code: str) -> list[Way]:
    """Doors of a module that show something without being told which record."""
    return [way for way in ways(get_module(code)) if way.method == "GET" and way.page and not way.ids]


def _opens(client: TestClient, codes: set[str]) -> None:
    for area in HOME:
        enter(client, area)
        if any(page.area == area and page.path == "" for page in pages().values()):
            assert client.get(HOME[area]).status_code == 200
        for code in sorted(codes):
            for way in _plain_pages(code):
                if way.area == area:
                    assert client.get(way.at()).status_code == 200, way.path


class SwitchRules(Conformance):
    """How a module comes and goes."""

    @pytest.mark.xdist_group("alone")  # each leaves all templates to be compiled anew, in one process then
    def test_it_boots_alone_with_what_it_requires(self, world: Database) -> None:
        needed = stands_on(self.code)
        with installed_only(needed):
            assert set(modules()) == needed
            with TestClient(create_app(), base_url="http://testserver", follow_redirects=False) as client:
                _opens(client, {self.code})

    def test_off_its_doors_are_closed_the_rest_works_and_it_comes_back(self, client: TestClient) -> None:
        if self.module.module_class is ModuleClass.CORE:
            with pytest.raises(ModuleSwitchError), unit_of_work(SYSTEM) as session:
                lifecycle.disable(session, platform_ids()[0], self.code)
        off = _switch_off([*dependents(self.code), self.code])
        _opens(client, set(modules()) - set(off))
        if self.code in off:
            self._is_closed(client)
        _switch_on(list(reversed(off)))
        _opens(client, {self.code, *off})

    def _is_closed(self, client: TestClient) -> None:
        for area, home in HOME.items():
            enter(client, area)
            page = client.get(home)
            for way in [way for way in ways(self.module) if way.area == area]:
                data = {"csrf_token": token_of(page)} if way.method == "POST" else None
                assert client.request(way.method, way.at(), data=data).status_code == 404, way.path
                assert f'href="{way.at()}"' not in page.text, f"{way.path} is still linked"
        assert not any(schedule_is_on(entry.name) for entry in self.module.scheduled_tasks)

    @pytest.mark.timeout(180)
    def test_it_works_while_others_are_off(self, client: TestClient) -> None:
        others = set(modules()) - stands_on(self.code)
        # One by one, those of the tree open each other's pages in the rule above.
        for each in [others] if self.is_in_tree else [others, *({one} for one in others)]:
            off = _switch_off([one for one in reversed(modules()) if stands_on(one) & each])
            assert self.code not in off
            _opens(client, {self.code})
            _switch_on(list(reversed(off)))

    @pytest.mark.usefixtures("world")
    def test_its_health_check_answers(self) -> None:
        check = module_checks().get(self.code)
        if check:
            assert check().status is HealthStatus.OK
        status, results = platform_health()
        assert status is HealthStatus.OK, results
        assert (self.code in results) == (check is not None)
