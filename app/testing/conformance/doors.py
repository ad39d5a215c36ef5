"""Doors over HTTP: pages open for those who may, and for nobody else."""

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from app.core.i18n import offered
from app.modules.pages import LANGUAGE_COOKIE
from app.testing.browsing import sign_in, token_of
from app.testing.conformance.module import (
    HOME,
    OTHER_VENDOR,
    OWNER,
    TEAM_MEMBER,
    VENDOR,
    Conformance,
    Way,
    enter,
    ways,
)
from app.testing.records import find_address
from app.testing.working import work


def _call(client: TestClient, way: Way, path: str, token: str = "") -> int:
    data = {"csrf_token": token} if way.method == "POST" else None
    return client.request(way.method, path, data=data).status_code


class DoorRules(Conformance):
    """Who gets in."""

    def ways_in(self, area: str) -> list[Way]:
        """The module's doors of one area."""
        return [way for way in ways(self.module) if way.area == area]

    def test_every_door_is_mounted(self, app: FastAPI) -> None:
        routes = [route for route in app.routes if isinstance(route, APIRoute)]
        mounted = {(method, route.path) for route in routes for method in route.methods or ()}
        assert {(way.method, way.path) for way in ways(self.module)} <= mounted

    def test_every_door_asks_for_a_permission_and_a_tenant(self) -> None:
        for way in ways(self.module):
            assert way.area == "public" or way.permission is not None, way.path
            assert way.area != "vendor" or way.path.startswith("/vendor/{vendor_code}"), way.path

    def test_strangers_are_asked_to_sign_in(self, client: TestClient) -> None:
        for way in ways(self.module):
            if way.area in HOME:
                assert _call(client, way, way.at()) == (303 if way.method == "GET" else 401), way.path

    def test_owners_of_another_vendor_find_nothing(self, client: TestClient) -> None:
        sign_in(client, "vendor", OWNER)
        token = token_of(client.get(HOME["vendor"]))
        for way in self.ways_in("vendor"):
            assert _call(client, way, way.at(OTHER_VENDOR), token) == 404, way.path

    def test_who_has_no_permission_is_refused(self, client: TestClient, owner_engine: Engine) -> None:
        sign_in(client, "vendor", TEAM_MEMBER)
        token = token_of(client.get(f"/vendor/{OTHER_VENDOR}"))
        with owner_engine.begin() as connection:
            connection.execute(text("UPDATE roles SET permissions = '{}'"))
        for way in self.ways_in("vendor"):
            assert _call(client, way, way.at(OTHER_VENDOR), token) == 403, way.path

    def test_forms_need_their_token(self, client: TestClient) -> None:
        for area in HOME:
            enter(client, area)
            for way in self.ways_in(area):
                if way.method == "POST":
                    assert _call(client, way, way.at()) == 403, way.path

    def test_every_menu_entry_leads_to_a_page(self, client: TestClient) -> None:
        for area, home in HOME.items():
            enter(client, area)
            shown = client.get(home).text
            for way in self.ways_in(area):
                if way.page and way.page.menu:
                    assert f'href="{way.at()}"' in shown, f"{way.page.id} is not in the menu"
                    assert client.get(way.at()).status_code == 200, way.path

    @pytest.mark.timeout(180)
    def test_every_page_opens_in_each_language(self, client: TestClient, owner_engine: Engine) -> None:
        work(timeout_seconds=120)
        for area in ("public", *HOME):
            enter(client, area)
            for way in self.ways_in(area):
                if way.page is None:
                    continue
                path = find_address(way.path, owner_engine, VENDOR, OWNER)
                assert path is not None, (
                    f"{way.path}: the demo has no record to show; add one to framework.demo"
                )
                for language in offered()[:1] if self.is_in_tree else offered():  # the tree's crawl reads all
                    client.cookies.set(LANGUAGE_COOKIE, language)
                    answer = client.get(path).status_code
                    # Anybody may come to a public page; it may send strangers to sign in.
                    assert answer == 200 or (area == "public" and answer == 303), f"{path} in {language}"
            client.cookies.clear()
