"""Places on a page where something can be done: whether the keyboard gets to them, shows them, and whether they are big
enough."""

from collections.abc import Mapping

from playwright.sync_api import Page, ViewportSize

LOW: ViewportSize = {"width": 1000, "height": 420}  # bars that stay take much of it
NARROW: ViewportSize = {"width": 320, "height": 700}
WANTED = """(within) => {
    const all = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    const groups = new Set();
    window.wanted = [...document.querySelector(within ?? "body").querySelectorAll(all)].filter((element) => {
        if (!element.checkVisibility({visibilityProperty: true}) || element.disabled) return false;
        if (element.type !== "radio" || element.checked) return true;
        const isFirst = !groups.has(element.name) && !document.querySelector(`[name="${element.name}"]:checked`);
        groups.add(element.name);
        return isFirst;
    });
    window.visited = new Set();
    return window.wanted.length;
}"""
# What is wrong with the place where the focus is; "" for nothing.
_LOOK_AT = """(element) => {
    const name = `${element.tagName} ${element.id} ${element.className} ${element.textContent.trim().slice(0, 30)}`;
    const ringed = [element, element.parentElement].some((one) => {
        const style = getComputedStyle(one);
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    });
    if (!ringed) return `no ring: ${name}`;
    const box = element.getBoundingClientRect();
    const [left, top] = [Math.max(box.left, 0), Math.max(box.top, 0)];
    const [right, bottom] = [Math.min(box.right, innerWidth), Math.min(box.bottom, innerHeight)];
    for (const x of [0.1, 0.5, 0.9]) for (const y of [0.1, 0.5, 0.9]) {
        const hit = document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y);
        if (hit && (element.contains(hit) || hit.closest("label")?.contains(element))) return "";
    }
    return `covered: ${name}`;
}"""
# The same after a Tab; null when the focus left the page.
LOOK = f"""() => {{
    const element = document.activeElement;
    if (element === document.body || window.visited.has(element)) return null;
    window.visited.add(element);
    return ({_LOOK_AT})(element);
}}"""
# Goes to each place by itself, many times quicker than by Tab. Only after a key the browser shows where the focus is.
_SWEEP = f"""() => window.wanted.map((element) => {{
    element.focus();
    const isThere = document.activeElement === element && element.tabIndex >= 0;
    return isThere ? ({_LOOK_AT})(element) : `not by keyboard: ${{element.outerHTML.slice(0, 120)}}`;
}}).filter(Boolean)"""
LEFT_OUT = "() => wanted.filter((one) => !visited.has(one)).map((one) => one.outerHTML.slice(0, 120))"
_SMALL = """() => {
    const small = [];
    for (const one of document.querySelectorAll("button, summary, select, input:not([type=hidden]), a.btn, .chip a")) {
        if (!one.checkVisibility({visibilityProperty: true})) continue;
        const box = (one.closest("label") ?? one).getBoundingClientRect();
        if (box.width < 24 || box.height < 24) small.push(`${box.width}×${box.height} ${one.outerHTML.slice(0, 90)}`);
    }
    return small;
}"""
_FAULTS = f"""(within) => {{
    ({WANTED})(within);
    return [...({_SWEEP})(), ...({_SMALL})()];
}}"""
_NARROW_FAULTS = f"""(parts) => {{
    const faults = () => {{
        const wide = document.documentElement.scrollWidth;
        return [...(wide > innerWidth ? [`${{wide}} wide`] : []), ...({_SMALL})()];
    }};
    const found = [];
    for (const [language, html] of Object.entries(parts)) {{
        document.documentElement.lang = language;
        if (html.startsWith("<main")) document.querySelector("main").outerHTML = html;
        else document.body.innerHTML = html;
        found.push(...faults().map((fault) => `${{language}}: ${{fault}}`));
    }}
    return found;
}}"""


def faults_of_places(page: Page, *, within: str = "body") -> list[str]:
    """Places that do not take the focus, do not show it, are covered then, or are too small (these in the whole page).

    The window is ``LOW`` and was shown a key.
    """
    found: list[str] = page.evaluate(_FAULTS, within)
    return found


def faults_when_narrow(window: Page, parts: Mapping[str, str]) -> list[str]:
    """What makes pages wider than a small telephone, and places that are too small there, by language.

    Laid into a window that stands ``NARROW``: a part is a body's inner HTML, or a ``main`` for the page that was laid
    there before. The product's scripts change nothing on a page until somebody acts, so it need not be loaded to have
    its width.
    """
    found: list[str] = window.evaluate(_NARROW_FAULTS, dict(parts))
    return found
