"""Axe's bench: a window that stays, in which pages are laid one after the other. There its script stays warm.

Axe is given a page without what is repeated. Two things are made alike when they have the same elements with the same
classes, kinds and states, and words in the same places. Of rows and entries beside each other that are made alike two
are left; and of forms, cards, paragraphs and the like, at the same place below the same elements, two in all the pages
that the window was ever shown. So menu, bars and dialogs are looked at with the first page, and later what is new.
"""

from axe_playwright_python.base import AxeResults
from playwright.sync_api import Page

from tests.e2e.reading import WORDS

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
RULES = {"type": "tag", "values": TAGS}
OF_COLOURS = {"type": "rule", "values": ("color-contrast", "link-in-text-block")}
LOOK = """async ({rules, inTheDark}) => {
    const look = async (runOnly) => (await axe.run({runOnly, resultTypes: ["violations"]})).violations;
    const found = await look(rules);
    if (!inTheDark) return found;
    const atOnce = new CSSStyleSheet();
    atOnce.replaceSync("*, ::before, ::after { transition: none !important; }");
    document.adoptedStyleSheets = [atOnce];
    document.documentElement.dataset.theme = "dark";
    return [...found, ...(await look(inTheDark))];
}"""
_UNITS = "section, article, header, form, fieldset, details, dialog, dl, ul, table, li, dt, dd, p, .field, .card, .tile"
_LAY = r"""(html) => {
    const values = /__WORDS__/g;
    const made = (one) => one.outerHTML.replace(/\bicon-[\w-]+/g, "icon").replace(values, " $1")
        .replace(/>[^<]*[^<\s][^<]*/g, ">x").replace(/\s+/g, " ");
    const place = (one) => one.tagName === "BODY" ? "" : `${place(one.parentElement)} ${one.tagName}.${one.className}`;
    const parsed = new DOMParser().parseFromString(html, "text/html");
    const main = parsed.querySelector("main");
    const repeats = (one, seen, key) => seen.set(key, (seen.get(key) ?? 0) + 1).get(key) > 2;
    const beside = new Map();
    window.known ??= new Map();
    for (const one of parsed.querySelectorAll("main :is(tr, li, dt, dd, option), nav, __UNITS__")) {
        if (!parsed.contains(one) || one.querySelector("main, h1")) continue;
        const key = made(one);
        if (one.matches("main tr, main li, main dt, main dd, main option")) {
            if (!beside.has(one.parentElement)) beside.set(one.parentElement, new Map());
            if (repeats(one, beside.get(one.parentElement), key)) one.remove();
        } else if (repeats(one, window.known, `${place(one.parentElement)} ${key}`)) {
            if (main.contains(one)) one.remove();
            else one.replaceChildren();
        }
    }
    document.title = parsed.title;
    document.documentElement.lang = parsed.documentElement.lang;
    document.documentElement.dataset.theme = parsed.documentElement.dataset.theme;
    document.body.replaceWith(document.adoptNode(parsed.body));
}""".replace("__WORDS__", WORDS).replace("__UNITS__", _UNITS)


def ask_axe(page: Page, *, has_dark: bool = False) -> None:
    """Fail with what axe, whose script the page has, finds in the theme that it shows, and in the dark one."""
    asked = {"rules": RULES, "inTheDark": OF_COLOURS if has_dark else None}
    results = AxeResults({"violations": page.evaluate(LOOK, asked)})
    assert results.violations_count == 0, results.generate_report()


def ask_axe_about(html: str, bench: Page) -> None:
    """The same of a page that is laid on the bench, in both themes."""
    bench.evaluate(_LAY, html)
    ask_axe(bench, has_dark=True)
