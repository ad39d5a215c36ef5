"""Texts and templates: complete, in each language."""

from pathlib import Path

from babel.messages.pofile import read_po

from app.core.i18n import LANGUAGES, has_message
from app.modules.pages import environment
from app.modules.texts import load_texts
from app.testing.conformance.module import Conformance


def _messages(path: Path) -> dict[str, bool]:
    """Whether the text of each key is there and finished."""
    if not path.is_file():
        return {}
    with path.open("rb") as file:
        found = [message for message in read_po(file, abort_invalid=True) if message.id]
    return {
        message.id if isinstance(message.id, str) else message.id[0]: not message.fuzzy
        and all([message.string] if isinstance(message.string, str) else message.string or ("",))
        for message in found
    }


class TextRules(Conformance):
    """What people read."""

    def test_templates_compile(self) -> None:
        folder = self.module.folder / "templates"
        for path in sorted(folder.rglob("*.html")):
            assert environment().get_template(path.relative_to(folder).as_posix()), path

    def test_messages_are_complete_in_each_language(self) -> None:
        catalogues = {
            language: _messages(self.module.folder / "locales" / f"{language}.po") for language in LANGUAGES
        }
        for language, messages in catalogues.items():
            assert messages.keys() == catalogues["en"].keys(), language
            assert all(messages.values()), [key for key, is_complete in messages.items() if not is_complete]

    def test_keys_are_its_own(self) -> None:
        names = {self.code, self.code.replace("-", "_")}
        for key in _messages(self.module.folder / "locales" / "en.po"):
            own = key.removeprefix("errors.").removeprefix("audit.")
            assert own.partition(".")[0] in names, key

    def test_permissions_and_pages_have_words(self) -> None:
        load_texts()
        keys = [permission.label_key for permission in self.module.permissions]
        keys += [page.title_key for page in self.module.pages]
        keys += [f"ui.menu.{page.menu.section}" for page in self.module.pages if page.menu]
        for key in keys:
            for language in LANGUAGES:
                assert has_message(language, key), f"{key} in {language}"
