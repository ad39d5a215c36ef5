"""What messages say: no empty courtesies in English, and no English in the other languages."""

import re
from collections.abc import Iterator

from babel.messages.catalog import Message

from app.modules.verify.project import Project
from app.modules.verify.report import Finding
from app.modules.verify.texts import (
    PLACEHOLDER,
    REQUIRED_LANGUAGES,
    catalogue_folders,
    forms_of,
    messages_of,
)

_UNWANTED = re.compile(r"\b(invalid|forbidden|please|oops)\b", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_ALLOWED = re.compile(r"same: *\S")


def check_wording(project: Project) -> Iterator[Finding]:
    """English messages say what to do; the other languages do not repeat the English text."""
    for folder in catalogue_folders(project):
        english = messages_of(folder, "en")
        for key, message in english.items():
            for word in sorted({found.lower() for found in _UNWANTED.findall(" ".join(forms_of(message)))}):
                yield project.finding(
                    folder / "en.po",
                    message.lineno or 1,
                    "message-word",
                    f"{key} says {word!r}.",
                    "Say what happened and what to do, and name the field.",
                )
        for language in REQUIRED_LANGUAGES:
            for key, message in messages_of(folder, language).items() if language != "en" else ():
                if key in english and _repeats(english[key], message):
                    yield project.finding(
                        folder / f"{language}.po",
                        message.lineno or 1,
                        "message-untranslated",
                        f"{key} in {language} is the English text.",
                        "Translate it, or write why it is the same on the line above it: # same: a name.",
                    )


def _repeats(english: Message, message: Message) -> bool:
    forms = forms_of(message)
    has_words = any(_LETTER.search(PLACEHOLDER.sub("", form)) for form in forms)
    return (
        has_words
        and forms == forms_of(english)
        and not any(_ALLOWED.match(note) for note in message.user_comments)
    )
