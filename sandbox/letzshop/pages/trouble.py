"""Faults and switches."""

from typing import Any

from sandbox import faults
from sandbox.letzshop.pages.form import Form, first
from sandbox.letzshop.settings import CHOICES, DEFAULTS, WORDS, SettingsError
from sandbox.letzshop.state import Letzshop
from sandbox.pages.shown import Page, Redirect

_HERE = Redirect("/letzshop/faults")


def show(letzshop: Letzshop, _id: str, _form: Form) -> Page:
    return _page(letzshop)


def _page(letzshop: Letzshop, problem: str = "") -> Page:
    values = {
        "faults": faults.all_faults(letzshop.store, faults.LETZSHOP),
        "names": faults.NAMES[faults.LETZSHOP],
        "settings": letzshop.settings(),
        "choices": CHOICES,
        "texts": WORDS,
        "problem": problem,
    }
    return Page("faults.html", values, 422 if problem else 200)


def change_faults(letzshop: Letzshop, _id: str, form: Form) -> Redirect:
    if first(form, "act") == "clear":
        faults.clear(letzshop.store, faults.LETZSHOP)
        return _HERE
    times, seconds = first(form, "times"), first(form, "seconds")
    given = {
        "name": first(form, "name"),
        "times": int(times) if times else None,
        "probability": int(first(form, "probability", "100")) / 100,
        "path": first(form, "path") or None,
        "seconds": float(seconds) if seconds else None,
    }
    faults.add(letzshop.store, given, faults.LETZSHOP)
    return _HERE


def change_settings(letzshop: Letzshop, _id: str, form: Form) -> Page | Redirect:
    try:
        letzshop.change_settings({name: _read(form, name, default) for name, default in DEFAULTS.items()})
    except (SettingsError, ValueError) as error:
        return _page(letzshop, str(error))
    return _HERE


def _read(form: Form, name: str, default: Any) -> Any:
    text = first(form, name)
    if isinstance(default, bool):
        return name in form
    if isinstance(default, int | float):
        return type(default)(text or default)
    if isinstance(default, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
