import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from unicodedata import normalize

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.core import errors, i18n
from app.core.errors import AppError, ConfigurationError

HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'


def entry(key: str, *texts: str) -> str:
    if len(texts) == 1:
        return f'msgid "{key}"\nmsgstr "{texts[0]}"\n\n'
    forms = "".join(f'msgstr[{number}] "{text}"\n' for number, text in enumerate(texts))
    return f'msgid "{key}"\nmsgid_plural "{key}"\n{forms}\n'


def write(folder: Path, lang: str, *entries: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / f"{lang}.po").write_text(HEADER + "".join(entries), encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _texts_restored() -> Iterator[None]:
    before, missed = i18n._texts, dict(i18n._missed)
    yield
    i18n._texts = before
    i18n._missed.clear()
    i18n._missed.update(missed)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    things = ("%(count)s thing of %(who)s", "%(count)s things of %(who)s")
    write(folder, "en", entry("shop.hello", "Hello %(name)s, 100 % sure"), entry("shop.things", *things))
    write(folder, "fr", entry("shop.things", "%(count)s chose de %(who)s", "%(count)s choses de %(who)s"))
    write(folder, "lb", entry("shop.things", "%(count)s Saach vu %(who)s", "%(count)s Saachen vu %(who)s"))
    i18n.load_catalogues([folder])
    return folder


@pytest.mark.usefixtures("shop")
class TestTranslate:
    def test_replaces_parameters_and_leaves_single_percent_signs(self) -> None:
        assert i18n.translate("en", "shop.hello", name="Zoë") == "Hello Zoë, 100 % sure"

    def test_falls_back_to_english_then_to_the_key(self) -> None:
        assert i18n.translate("lb", "shop.hello", name="x") == "Hello x, 100 % sure"
        assert i18n.translate("xx", "shop.hello", name="x") == "Hello x, 100 % sure"
        assert i18n.translate("fr", "shop.nothing") == "shop.nothing"

    def test_parameters_may_be_called_lang_or_key(self) -> None:
        assert i18n.translate("en", "shop.hello", name="n", lang="l", key="k") == "Hello n, 100 % sure"

    def test_a_value_is_not_read_as_a_placeholder(self) -> None:
        assert i18n.translate("en", "shop.hello", name="%(name)s") == "Hello %(name)s, 100 % sure"

    def test_a_missing_parameter_stays_visible(self) -> None:
        assert i18n.translate("en", "shop.hello") == "Hello %(name)s, 100 % sure"

    def test_a_miss_is_logged_once_and_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # A logger that was used before keeps what was configured then.
        structlog.reset_defaults()
        monkeypatch.setattr(i18n, "_log", structlog.stdlib.get_logger())
        with capture_logs() as lines:
            for _ in range(3):
                i18n.translate("fr", "shop.hello", name="x")
        assert [(line["lang"], line["message_key"]) for line in lines] == [("fr", "shop.hello")]
        assert i18n.misses() == {("fr", "shop.hello"): 3}

    def test_what_is_remembered_of_misses_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(i18n, "_MAX_REMEMBERED_MISSES", 5)
        for number in range(20):
            i18n.translate("en", f"made.up.{number}")
        assert len(i18n.misses()) == 5


@pytest.mark.usefixtures("shop")
class TestPlurals:
    @pytest.mark.parametrize(
        ("lang", "count", "text"),
        [
            ("en", 0, "0 things of x"),
            ("en", 1, "1 thing of x"),
            ("en", 1234, "1,234 things of x"),
            ("fr", 0, "0 chose de x"),
            ("fr", 1, "1 chose de x"),
            ("fr", 2, "2 choses de x"),
            ("fr", 1234, "1\u202f234 choses de x"),
            ("lb", 0, "0 Saachen vu x"),
            ("lb", 1, "1 Saach vu x"),
            ("lb", 1234, "1.234 Saachen vu x"),
            ("de", 1234, "1,234 things of x"),
        ],
    )
    def test_forms(self, lang: str, count: int, text: str) -> None:
        assert i18n.ntranslate(lang, "shop.things", count, who="x") == text

    def test_entry_without_forms_and_missing_entry(self) -> None:
        assert i18n.ntranslate("en", "shop.hello", 2, name="x") == "Hello x, 100 % sure"
        assert i18n.ntranslate("en", "shop.nothing", 2) == "shop.nothing"


class TestCatalogues:
    def test_missing_names_absent_empty_fuzzy_and_half_plural_texts(self, tmp_path: Path) -> None:
        full = [entry(f"m.{name}", name) for name in ("absent", "empty", "fuzzy", "there")]
        write(tmp_path, "en", *full, entry("m.plural", "one", "many"))
        write(
            tmp_path,
            "lb",
            entry("m.empty", ""),
            "#, fuzzy\n" + entry("m.fuzzy", "villäicht"),
            entry("m.there", "do"),
            entry("m.plural", "eent", ""),
        )
        i18n.load_catalogues([tmp_path])
        lacking = {key for key in i18n.missing("lb") if key.startswith("m.")}
        assert lacking == {"m.absent", "m.empty", "m.fuzzy", "m.plural"}
        assert i18n.missing("en") == set()
        assert i18n.has_message("lb", "m.there")
        assert not i18n.has_message("lb", "m.fuzzy")
        assert i18n.translate("lb", "m.fuzzy") == "fuzzy"
        assert i18n.ntranslate("lb", "m.plural", 1) == "one"

    def test_two_texts_for_a_key_are_refused_with_both_files(self, tmp_path: Path) -> None:
        one = write(tmp_path / "one", "en", entry("a.b", "First"))
        two = write(tmp_path / "two", "en", entry("a.b", "Second"))
        with pytest.raises(ConfigurationError, match=r"'a\.b'.*one.*two"):
            i18n.load_catalogues([one, two])

    def test_two_texts_in_one_file_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match=r"'a\.b'"):
            i18n.load_catalogues([write(tmp_path, "en", entry("a.b", "First"), entry("a.b", "Second"))])

    def test_the_same_text_twice_is_fine(self, tmp_path: Path) -> None:
        folders = [write(tmp_path / name, "en", entry("a.b", "Same")) for name in ("one", "two")]
        i18n.load_catalogues([*folders, i18n.CORE_LOCALES])
        assert i18n.translate("en", "a.b") == "Same"

    @pytest.mark.parametrize("content", [b"msgid one\n", b'msgid "a"\nmsgstr "\xff"\n', b"rubbish\n"])
    def test_a_broken_file_is_named(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "fr.po").write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"fr\.po"):
            i18n.load_catalogues([tmp_path])

    def test_a_failed_load_keeps_the_texts_of_before(self, shop: Path, tmp_path: Path) -> None:
        (tmp_path / "fr.po").write_bytes(b"rubbish\n")
        with pytest.raises(ConfigurationError):
            i18n.load_catalogues([tmp_path])
        assert i18n.has_message("en", "shop.hello")

    def test_plural_forms_follow_the_language_not_the_header(self, tmp_path: Path) -> None:
        write(tmp_path, "fr", entry("a.n", "un", "plusieurs"))
        path = tmp_path / "fr.po"
        wrong = r"charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
        path.write_text(path.read_text().replace(r"charset=UTF-8\n", wrong))
        i18n.load_catalogues([tmp_path])
        assert i18n.ntranslate("fr", "a.n", 0) == "un"

    def test_ten_files_of_200_entries_load_fast(self, tmp_path: Path) -> None:
        folders = [
            write(
                tmp_path / f"m{module}",
                "en",
                *(entry(f"m{module}.k{number}", f"Text {number} of %(name)s") for number in range(200)),
            )
            for module in range(10)
        ]
        started = time.process_time()
        i18n.load_catalogues(folders)
        assert time.process_time() - started < 0.5  # about 0.03 on a free machine
        assert i18n.has_message("en", "m9.k199")


def all_errors(kind: type[AppError] = AppError) -> Iterator[type[AppError]]:
    if kind.__module__ == errors.__name__:
        yield kind
    for child in kind.__subclasses__():
        yield from all_errors(child)


class TestKernelTexts:
    @pytest.mark.parametrize("lang", i18n.LANGUAGES)
    def test_every_error_code_has_texts(self, lang: str) -> None:
        i18n.load_catalogues([])
        codes = {kind.code for kind in all_errors()}
        assert len(codes) > 5
        keys = {f"errors.{code}{part}" for code in codes for part in ("", ".title")}
        keys |= {f"core.languages.{name}" for name in i18n.LANGUAGES}
        assert {key for key in keys if not i18n.has_message(lang, key)} == set()

    def test_english_titles_are_those_of_the_classes(self) -> None:
        i18n.load_catalogues([])
        for kind in all_errors():
            assert i18n.translate("en", f"errors.{kind.code}.title") == kind.title

    def test_parameters_are_filled(self) -> None:
        i18n.load_catalogues([])
        error = errors.RateLimitedError(retry_after=30)
        for lang in i18n.LANGUAGES:
            assert "30" in i18n.translate(lang, error.message_key, **error.params)


class TestNegotiate:
    @pytest.mark.parametrize(
        ("header", "chosen"),
        [
            (None, "fr"),
            ("", "fr"),
            ("de", "de"),
            ("DE-lu", "de"),
            ("lb-LU,fr;q=0.9", "lb"),
            ("fr;q=0.5, de;q=0.8", "de"),
            ("fr;q=0.5 , de ; q=0.8", "de"),
            ("en,de", "en"),
            ("pt, es;q=0.9, de;q=0.1", "de"),
            ("pt", "fr"),
            ("*", "fr"),
            ("fr;q=0, *", "en"),
            ("fr;q=0.2, *;q=0.8", "en"),
            ("de;q=0, pt", "fr"),
            ("de-LU, de;q=0, lb;q=0.1", "lb"),
            ("de;q=2, lb;q=0.1", "lb"),
            ("de;q=abc, lb;q=0.1", "lb"),
            ("de;q=0.1234, lb;q=0.1", "lb"),
            (";;;,,, =,q=1, lb", "lb"),
            ("zh-Hant-TW-x-private, lb;q=0.3", "lb"),
            ("a" * 100_000 + ",de", "fr"),
            ("\x00, de\r\nX: y, lb;q=0.3", "lb"),
        ],
    )
    def test_known_headers(self, header: str | None, chosen: str) -> None:
        assert i18n.negotiate(header, i18n.LANGUAGES, "fr") == chosen

    def test_only_allowed_languages_are_chosen(self) -> None:
        assert i18n.negotiate("de, lb;q=0.9, en;q=0.1", ["fr", "en"], "fr") == "en"

    @given(st.text() | st.from_regex(r"([a-z*]{1,3}(-[A-Z]{2})?(;q=[0-9.]{1,5})?,? ?){0,6}", fullmatch=True))
    def test_never_fails(self, header: str) -> None:
        assert i18n.negotiate(header, i18n.LANGUAGES, "fr") in i18n.LANGUAGES


class TestFormats:
    NOON = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("lang", "text"),
        [
            ("en", "9 March 2026"),
            ("fr", "9 mars 2026"),
            ("fr-LU", "9 mars 2026"),
            ("de", "9. März 2026"),
            ("lb", "9. Mäerz 2026"),
        ],
    )
    def test_long_date(self, lang: str, text: str) -> None:
        assert i18n.format_date(lang, date(2026, 3, 9), "long") == text

    def test_instant_is_shown_in_its_zone(self) -> None:
        assert i18n.format_date("fr", self.NOON, "long", timezone="Europe/Luxembourg") == "10 mars 2026"
        assert i18n.format_datetime("de", self.NOON, "Europe/Luxembourg") == "10.03.2026, 00:30:00"
        assert "00:30" in i18n.format_datetime("en", self.NOON, "Europe/Luxembourg", "short")

    def test_time_without_zone_is_refused(self) -> None:
        with pytest.raises(ValueError):
            i18n.format_datetime("de", datetime(2026, 3, 9), "UTC")
        with pytest.raises(ValueError):
            i18n.format_date("de", self.NOON)

    def test_numbers(self) -> None:
        assert i18n.format_number("en", Decimal("1234567.5")) == "1,234,567.5"
        assert normalize("NFKC", i18n.format_number("fr", 1234567)) == "1 234 567"
        assert i18n.format_number("lb", 1234567) == "1.234.567"

    @pytest.mark.parametrize(
        ("lang", "text"),
        [
            ("en", "€1,234,567.50"),
            ("fr", "1\u202f234\u202f567,50\xa0€"),
            ("fr-LU", "1.234.567,50\xa0€"),
            ("de", "1.234.567,50\xa0€"),
            ("lb", "1.234.567,50\xa0€"),
        ],
    )
    def test_amount(self, lang: str, text: str) -> None:
        assert i18n.format_money(lang, 123456750, "EUR") == text

    def test_amounts_follow_the_minor_units_of_their_currency(self) -> None:
        assert i18n.format_money("lb", -5, "EUR") == "-0,05\xa0€"
        assert normalize("NFKC", i18n.format_money("de", 1500, "JPY")) == "1.500 ¥"

    def test_unknown_language_is_shown_in_english(self) -> None:
        assert i18n.format_money("xx", 123456750, "EUR") == "€1,234,567.50"
