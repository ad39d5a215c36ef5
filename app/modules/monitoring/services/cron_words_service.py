"""A schedule's times in words, for the patterns that schedules have; anything else is shown as it is written."""

import re

from app.core.i18n import locale_of, ntranslate, translate

_NUMBER = r"(\d{1,2})"
_EVERY = re.compile(r"\*/(\d{1,2}) \* \* \* \*")
_HOURLY = re.compile(rf"{_NUMBER} \* \* \* \*")
_DAILY = re.compile(rf"{_NUMBER} {_NUMBER} \* \* \*")
_WEEKLY = re.compile(rf"{_NUMBER} {_NUMBER} \* \* ([0-7])")
_MONTHLY = re.compile(rf"{_NUMBER} {_NUMBER} {_NUMBER} \* \*")


def cron_words(cron: str, language: str) -> str:
    """Five fields of cron (UTC) in words of a language."""
    cron = " ".join(cron.split())
    if cron == "* * * * *":
        return ntranslate(language, "monitoring.cron.minutes", 1)
    if found := _EVERY.fullmatch(cron):
        # Only a divisor of the hour comes at even distances.
        return ntranslate(language, "monitoring.cron.minutes", int(found[1])) if _divides(found[1]) else cron
    if found := _HOURLY.fullmatch(cron):
        return translate(language, "monitoring.cron.hourly", minute=f"{int(found[1]):02}")
    if found := _DAILY.fullmatch(cron):
        return translate(language, "monitoring.cron.daily", time=_time(found))
    if found := _WEEKLY.fullmatch(cron):
        day = locale_of(language).days["format"]["wide"][(int(found[3]) - 1) % 7]
        return translate(language, "monitoring.cron.weekly", day=day, time=_time(found))
    if found := _MONTHLY.fullmatch(cron):
        return translate(language, "monitoring.cron.monthly", day=int(found[3]), time=_time(found))
    return cron


def _divides(minutes: str) -> bool:
    return int(minutes) > 0 and 60 % int(minutes) == 0


def _time(found: re.Match[str]) -> str:
    return f"{int(found[2]):02}:{int(found[1]):02}"
