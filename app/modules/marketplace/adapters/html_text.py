"""The text of a description that a shop keeps as HTML. It is text from then on: whoever shows it escapes it."""

import html
import re

from app.modules.marketplace.adapters.columns import MAX_DESCRIPTION

# A regular expression, because the parser of the standard library takes 15 times as long. Nothing here can
# run away: every loop takes each character once, quoted values of attributes have a longest length.
_TAG = re.compile(
    r"""<([/!?]?[a-zA-Z][a-zA-Z0-9]*+)(?:(?:[^<>"']++|"[^"]{0,2000}"|'[^']{0,2000}')*+|[^<>]*+)>"""
)
_INVISIBLE = re.compile(r"<!--|<(script|style|template|noscript)\b", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\r\n\f\v\xa0]+")
_BLANKS = re.compile(r"[ \xa0]+")
_AROUND_BREAKS = re.compile(r" *\n *")
_MANY_BREAKS = re.compile(r"\n{3,}")
_PARAGRAPHS = frozenset(
    ("p", "div", "ul", "ol", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section", "blockquote")
)
_LINES = frozenset(("br", "tr", "dt", "dd", "hr"))


def html_to_text(markup: str) -> str:
    """Text with line breaks where paragraphs and lines end, list items behind "- "; at most 5000 characters."""
    if "<" in markup or "&" in markup:
        text = _SPACES.sub(" ", _visible(markup))
        text = _BLANKS.sub(" ", html.unescape(_TAG.sub(_break, text)))
        text = _MANY_BREAKS.sub("\n\n", _AROUND_BREAKS.sub("\n", text))
    else:
        text = markup
    return shorten(text.strip())


def shorten(text: str) -> str:
    """The text, cut after a word if it is longer than a description may be."""
    if len(text) <= MAX_DESCRIPTION:
        return text
    cut = text[: MAX_DESCRIPTION - 1]
    space = cut.rfind(" ", MAX_DESCRIPTION - 100)
    return (cut[:space] if space > 0 else cut).rstrip() + "…"


def _break(match: "re.Match[str]") -> str:
    name = match[1].lower()
    if name == "li":
        return "\n- "
    name = name.removeprefix("/")
    if name in _PARAGRAPHS:
        return "\n\n" if match[1][0] != "/" or name == "p" else "\n"
    if name in ("td", "th"):
        return " "
    return "\n" if name in _LINES else ""


def _visible(markup: str) -> str:
    """Without comments, scripts and style sheets; one that does not end takes the rest with it."""
    match = _INVISIBLE.search(markup)
    if match is None:
        return markup
    kept, at = [], 0
    while match:
        kept.append(markup[at : match.start()])
        ending = "-->" if match[1] is None else f"</{match[1]}[^<>]*+>"
        end = re.compile(ending, re.IGNORECASE).search(markup, match.end())
        if end is None:
            return " ".join(kept)
        at = end.end()
        match = _INVISIBLE.search(markup, at)
    return " ".join((*kept, markup[at:]))
