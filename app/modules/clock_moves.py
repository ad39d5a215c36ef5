"""Moving the business clock, and the stand-ins' with it, a day at a time: every day gets its schedules and events."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import text

from app.core import clock
from app.core.config import Settings
from app.core.database import SYSTEM, unit_of_work
from app.core.errors import ConfigurationError, UnavailableError, ValidationFailedError
from app.core.http_client import FetchUnavailableError, tell_neighbour
from app.modules import state
from app.modules.platform import has_workers
from app.modules.tasks import QUEUES
from app.tasks.runner import run_slice
from app.tasks.ticks import make_ticks

_STEP = timedelta(days=1)
_LONGEST = timedelta(days=3660)
_SETTLE_SECONDS = 60.0  # for the work of one day; then the clock goes on
_CALM_SECONDS = 1.5  # longer than other processes need to follow the clock
_POLL_SECONDS = 0.1
_STAND_IN_SECONDS = 60.0
_SPAN = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,5})h)?(?:(\d{1,6})m)?")
_BUSY = text(
    "SELECT EXISTS (SELECT FROM jobs WHERE state = 'running' "
    "OR (state = 'queued' AND waiting_reason IS NULL AND run_after <= :now))"
)


def parse_span(words: str) -> timedelta:
    """A time such as ``32d``, ``12h``, ``90m`` or ``1d12h``, of ten years at most. Raises ValidationFailedError."""
    found = _SPAN.fullmatch(words.strip())
    days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    span = timedelta(days=days, hours=hours, minutes=minutes)
    if not timedelta() < span <= _LONGEST:
        raise ValidationFailedError(f"{words!r} is no time to advance by. Write 32d, 12h, 90m or 1d12h.")
    return span


def require_movable(settings: Settings) -> None:
    """Raise ConfigurationError where the clock stands: on servers that are not the platform's own, unless allowed."""
    if not settings.is_embedded and not settings.clock_may_move:
        raise ConfigurationError(
            "The clock of this installation stands still. It moves with the embedded servers of `wizamart up`, "
            "or where WIZAMART_CLOCK_MAY_MOVE=true says that no real business is done here."
        )


def advance(span: timedelta, settings: Settings) -> Iterator[timedelta]:
    """Move the clock on by ``span``, a day at most at a time; yields the offset after each, once its work is done.

    Work that takes longer than a minute goes on while the clock does. Raises UnavailableError when the stand-ins do
    not follow.
    """
    state.refresh()
    start = clock.offset()
    offset, end = start, start + span
    helps = not has_workers()
    while offset < end:
        offset = min(offset + _STEP, end)
        _set(offset, settings)
        make_ticks()
        _settle(helps=helps, is_alone=helps and settings.sandbox_url is None)
        yield offset


def reset(settings: Settings) -> None:
    """Let business time be the machine's again. What has happened meanwhile stays. Raises as ``advance`` does."""
    _set(timedelta(), settings)


def _set(offset: timedelta, settings: Settings) -> None:
    with unit_of_work(SYSTEM) as session:
        state.set_clock_offset(session, offset)
    state.forget_snapshot()
    state.refresh()
    if settings.sandbox_url:
        _tell_stand_ins(settings.sandbox_url, offset)


def _tell_stand_ins(url: str, offset: timedelta) -> None:
    moved = {"offset_seconds": int(offset.total_seconds())}
    try:
        tell_neighbour(f"{url.rstrip('/')}/_control/clock", moved, total_seconds=_STAND_IN_SECONDS)
    except FetchUnavailableError as error:
        raise UnavailableError(
            f"The stand-ins at {url} did not follow the clock ({error}). Is `wizamart sandbox` running? "
            "Start it and repeat the command, or unset WIZAMART_SANDBOX_URL."
        ) from None


def _settle(*, helps: bool, is_alone: bool) -> None:
    """Until nothing is due: where others may still bring work, for a moment on end. ``helps``: no worker runs, so the
    work is done here."""
    end = time.monotonic() + _SETTLE_SECONDS
    calm_since: float | None = None
    while time.monotonic() < end:
        if helps:
            for queue in QUEUES:
                run_slice(queue)
        if _is_busy():
            calm_since = None
        elif calm_since is None:
            calm_since = time.monotonic()
        needed = 0.0 if is_alone else _CALM_SECONDS
        if calm_since is not None and time.monotonic() - calm_since >= needed:
            return
        time.sleep(_POLL_SECONDS)


def _is_busy() -> bool:
    with unit_of_work(SYSTEM) as session:
        return bool(session.execute(_BUSY, {"now": clock.now()}).scalar_one())
