"""The kit renders under strict variables and says what assistive technology needs to hear."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from bs4 import BeautifulSoup
from jinja2 import Environment, UndefinedError

from app.core.i18n import LANGUAGES
from app.core.templating import render
from app.ui.tests import sample
from app.ui.tests.sample import UI

PLACEHOLDER = r"%\(\w+\)s"


@pytest.fixture(scope="module")
def environment() -> Environment:
    return sample.environment()


def gallery(environment: Environment, **changes: Any) -> BeautifulSoup:
    return BeautifulSoup(render(environment, "gallery.html", sample.context(**changes)), "html.parser")


def test_the_gallery_uses_every_macro_of_the_kit(environment: Environment) -> None:
    exported = set(environment.get_template("ui/kit.html").make_module(sample.context()).__dict__)
    public = {name for name in exported if not name.startswith("_")} - {"name"}
    source = sample.GALLERY.read_text()
    assert public == set(re.findall(r"\bui\.(\w+)", source))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_is_a_key_or_a_leak(environment: Environment, lang: str) -> None:
    page = gallery(environment, lang=lang, errors={"name": "Write a name."})
    text = page.get_text()
    assert not re.search(r"\bui\.\w|None|Undefined|\{\{", text), text
    assert page.html["lang"] == lang
    assert len(page.find_all("h1")) == 1


def test_missing_values_are_refused(environment: Environment) -> None:
    values = sample.context()
    del values["theme"]
    with pytest.raises(UndefinedError):
        render(environment, "shell.html", values)


def test_data_is_escaped(environment: Environment) -> None:
    page = gallery(environment)
    assert page.find(id="field-name")["value"] == "<b>bold</b>"
    assert page.find(id="field-text").get_text().strip() == "<i>"
    assert page.find("input", type="search")["value"] == 'a "b"'
    assert page.find("tbody").find("th").get_text() == "Bowl <1>"
    assert page.body["hx-headers:inherited"] == '{"X-CSRF-Token": "to\\u0027k\\"en"}'


def test_every_changing_form_carries_the_token_and_skips_browser_validation(environment: Environment) -> None:
    page = gallery(environment)
    forms = page.find_all("form", method="post")
    assert len(forms) >= 5
    assert all(form.find("input", attrs={"name": "csrf_token"})["value"] == "to'k\"en" for form in forms)
    form = page.find("form", action="/save")
    assert form["enctype"] == "multipart/form-data"
    assert form.has_attr("novalidate")
    assert not page.select("[required]")


def test_errors_reach_title_summary_and_fields(environment: Environment) -> None:
    errors = {"name": "Write a name.", "file": "Choose a file.", "mode": "Choose one."}
    page = gallery(environment, errors=errors)
    assert page.title.get_text() == "Error: Gallery · Boutique Weber"
    summary = page.find(attrs={"role": "alert"})
    assert summary["tabindex"] == "-1"
    assert summary.has_attr("autofocus")
    for link, (name, message) in zip(summary.find_all("a"), errors.items(), strict=True):
        target = page.find(id=link["href"].removeprefix("#"))
        assert link.get_text() == message
        wired = target if target["type"] != "radio" else target.find_parent("fieldset")
        described = [page.find(id=one).get_text() for one in wired["aria-describedby"].split()]
        assert described[-1] == f"Error: {message}"
        assert target["name"] == name
    assert page.find(id="field-name")["aria-invalid"] == "true"
    assert page.find(id="field-name")["aria-describedby"] == "field-name-hint field-name-error"
    assert not page.find(id="field-language").has_attr("aria-invalid")


def test_without_errors_there_is_no_trace_of_them(environment: Environment) -> None:
    page = gallery(environment)
    assert page.title.get_text() == "Gallery · Boutique Weber"
    assert not page.select('[role="alert"], [aria-invalid], .field-error')


def test_labels_and_ids_fit_together(environment: Environment) -> None:
    page = gallery(environment, errors={"name": "Write a name."})
    ids = [tag["id"] for tag in page.find_all(id=True)]
    assert len(ids) == len(set(ids))
    for label in page.find_all("label"):
        assert label.find(["input", "select"]) or label["for"] in ids


def test_tables_scroll_in_a_named_focusable_region(environment: Environment) -> None:
    region = gallery(environment).find("table").parent
    assert (region["role"], region["tabindex"], region["aria-label"]) == ("region", "0", "Products")
    assert region.find("th", attrs={"aria-sort": "ascending"}).get_text() == "Name"


def test_polling_stops_when_the_work_is_done(environment: Environment) -> None:
    running, done = gallery(environment, active=True), gallery(environment, active=False)
    region = running.find(id="job")
    assert region["hx-trigger"] == "every 2s"
    assert region["hx-select"] == "#job"
    assert [name for name in done.find(id="job").attrs if name.startswith("hx-")] == []
    assert running.head.find("noscript").find("meta")["http-equiv"] == "refresh"
    assert done.head.find("noscript") is None


def test_progress_speaks_in_steps_and_never_passes_the_end(environment: Environment) -> None:
    page = gallery(environment)
    known, unknown = page.find_all("progress")
    assert (known["value"], known["max"]) == ("640", "1000")
    status = known.find_parent(id="job").find(attrs={"role": "status"})
    assert status.get_text() == "Writing products, 60%"
    assert not unknown.has_attr("value")


def test_a_list_form_keeps_its_state_in_the_url(environment: Environment) -> None:
    form = gallery(environment).find("form", attrs={"role": "search"})
    assert form["method"] == "get"
    assert form["hx-push-url"] == "true"
    names = [field["name"] for field in form.find_all(["input", "select"])]
    assert names == ["sort", "q", "status", "channel", "stock", "brand"]
    assert form.find("select", attrs={"name": "status"}).find("option", selected=True)["value"] == "draft"
    assert form.find("details").find("select")["name"] == "brand"


@pytest.mark.parametrize("state", ["queued", "running", "succeeded", "failed", "cancelled"])
def test_every_job_state_has_a_word_and_a_sign(environment: Environment, state: str) -> None:
    module = environment.get_template("ui/basics.html").make_module(sample.context())
    badge = BeautifulSoup(module.badge(state), "html.parser").span
    assert badge.get_text() == sample.texts("en")[f"ui.state.{state}"]
    assert badge.find("svg")


@pytest.mark.parametrize("signed_in", [True, False])
def test_error_page_needs_only_its_context(environment: Environment, signed_in: bool) -> None:
    error = SimpleNamespace(title="Gone", text="No.", data_note=None, action_url="/", action_label="Home")
    values = sample.context(error=error)
    if not signed_in:
        values["shell"] = None
    page = BeautifulSoup(render(environment, "error.html", values), "html.parser")
    assert page.h1.get_text() == "Gone"
    assert "req_1" in page.main.get_text()
    assert bool(page.find("nav")) is signed_in


def test_every_icon_named_in_templates_is_in_the_sprite(environment: Environment) -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (UI / "static" / "icons.svg").read_text()))
    used = {tag["href"].partition("#")[2] for tag in gallery(environment).find_all("use")}
    assert len(used) > 15
    assert used <= sprite


def test_catalogues_hold_exactly_the_keys_in_use() -> None:
    framework = UI.parent / "modules"
    files = [*(UI / "templates").rglob("*.html"), *framework.glob("*.py"), *framework.glob("pagekit/*.py")]
    source = "\n".join(path.read_text() for path in files)
    used = set(re.findall(r"""["'](ui(?:\.\w+)+)["']""", source))
    used |= {f"ui.state.{state}" for state in ("queued", "running", "succeeded", "failed", "cancelled")}
    used |= {"ui.area.admin", "ui.area.vendor", "ui.raw.id", "ui.raw.public_id"}
    used |= {f"ui.palette.{group}" for group in ("pages", "records", "actions")}
    keys = re.findall(r"""\("[^"]+", "(\w+)"\)""", (UI / "templates" / "ui" / "dialogs.html").read_text())
    used |= {f"ui.shortcuts.{key}" for key in keys}
    for lang in LANGUAGES:
        known = set(sample.texts(lang))
        assert known <= used, known - used
        lacking = used - known - {f"ui.{word}" for word in ("title", "error.home", "error.nothing_saved")}
        assert {key for key in lacking if not key.startswith("ui.menu.")} == set(), lang


def test_translations_keep_placeholders_and_french_spaces() -> None:
    english, french = sample.texts("en"), sample.texts("fr")
    for key, text in english.items():
        assert re.findall(PLACEHOLDER, french[key]) == re.findall(PLACEHOLDER, text), key
        assert not re.search(
            r"(?<![\u00a0\u202f])[:;!?%»](?!//)|«(?!\u00a0)|'", re.sub(PLACEHOLDER, "", french[key])
        ), key
