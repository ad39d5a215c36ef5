"""What the vendors do in their year, and what befalls the platform meanwhile; all drawn from the seed."""

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

STEP_DAYS = 6.0
MONTH_DAYS = 30.0
_TRIAL_DAYS = 14.0
# What is left of a trial has to be longer than the shortest that Stripe takes.
_NEAR_END_DAYS = 3.0
GOOD_CARD, FAILING_CARD = "4242424242424242", "4000000000000341"
_TIERS = ("essential", "professional", "business", "enterprise")
_ADDONS = ("custom-domain", "premium-ssl", "mailboxes-5", "mailboxes-10")


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a vendor does at a step of the year, planned for a day; ``values`` are what it needs."""

    day: float
    kind: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Life:
    """A vendor's year: the trial begins at ``start_day`` with ``tier``; ``acts`` by step, one at most."""

    number: int
    start_day: float
    tier: str
    acts: Mapping[int, Act]

    @property
    def code(self) -> str:
        return f"PROOF{self.number:05}"


def lives(seed: int, count: int, months: int) -> list[Life]:
    """The vendors and their plans."""
    return [_life(random.Random(f"{seed}:life:{number}"), number, months) for number in range(count)]


def kills(seed: int, count: int, steps: int) -> dict[int, str]:
    """From which steps on whom it hits: a ``child`` of a worker, or the ``worker``. Not in the last ones, so that there
    is work left to die at."""
    chance = random.Random(f"{seed}:kills")
    usable = range(1, max(2, steps * 4 // 5))
    chosen = chance.sample(usable, min(count, len(usable)))
    return {step: chance.choice(("child", "child", "worker")) for step in chosen}


def _life(chance: random.Random, number: int, months: int) -> Life:
    start = round(chance.uniform(0, MONTH_DAYS), 3)
    tier, end = chance.choice(_TIERS), months * MONTH_DAYS
    acts = (act for act in _acts(chance, start, tier, end) if act.day < end)
    return Life(number, start, tier, _in_steps(start, acts))


def _in_steps(start: float, acts: Iterable[Act]) -> dict[int, Act]:
    """An act happens at the first step after its day; one that finds it taken, at the next. Whoever would subscribe
    shortly before the trial's end waits until it is over."""
    found: dict[int, Act] = {}
    for act in sorted(acts, key=lambda act: act.day):
        step = int(act.day // STEP_DAYS) + 1
        while step in found or (act.kind == "subscribe" and 0 <= _left(start, step) < _NEAR_END_DAYS):
            step += 1
        found[step] = act
    return found


def _left(start: float, step: int) -> float:
    return start + _TRIAL_DAYS - step * STEP_DAYS


def _acts(chance: random.Random, start: float, tier: str, end: float) -> Iterator[Act]:
    luck = chance.random()
    if luck < 0.07:
        return  # the trial is all there is
    begin = start + (chance.uniform(1, 4) if luck < 0.87 else chance.uniform(_TRIAL_DAYS + 1, 40))
    interval = "year" if chance.random() < 0.12 else "month"
    card = FAILING_CARD if chance.random() < 0.08 else GOOD_CARD
    yield _subscribe(chance, begin, chance.choice((tier, chance.choice(_TIERS))), interval, card)
    if card == FAILING_CARD and chance.random() < 0.8:
        yield _card(chance, begin + _TRIAL_DAYS + chance.uniform(3, 12), GOOD_CARD)
    day = begin + chance.uniform(1, MONTH_DAYS)
    while day < end:
        yield from _month(chance, day)
        day += MONTH_DAYS


def _month(chance: random.Random, day: float) -> Iterator[Act]:
    """What a vendor may do in a month of a running subscription."""
    if chance.random() < 0.09:
        interval = "year" if chance.random() < 0.08 else "month"
        yield Act(day, "change", {"tier": chance.choice(_TIERS), "interval": interval})
    if chance.random() < 0.05:
        yield _card(chance, day + 1, FAILING_CARD)
        if chance.random() < 0.75:
            yield _card(chance, day + chance.uniform(8, 45), GOOD_CARD)
    if chance.random() < 0.05:
        yield Act(
            day + 2, "addon", {"addon": chance.choice(_ADDONS), "quantity": chance.choice((0, 1, 1, 2))}
        )
    if chance.random() < 0.04:
        yield Act(day + 3, "cancel", {"reason": chance.choice(("", "Too dear", "The shop closes"))})
        if chance.random() < 0.5:
            yield Act(day + chance.uniform(4, 20), "reactivate")
        elif chance.random() < 0.4:
            yield _subscribe(chance, day + chance.uniform(35, 70), chance.choice(_TIERS), "month", GOOD_CARD)
    if chance.random() < 0.02:
        yield Act(day + 4, "pay")


def _subscribe(chance: random.Random, day: float, tier: str, interval: str, card: str) -> Act:
    returns = chance.random() < 0.7
    return Act(day, "subscribe", {"tier": tier, "interval": interval, "card": card, "returns": returns})


def _card(chance: random.Random, day: float, card: str) -> Act:
    return Act(day, "card", {"card": card, "returns": chance.random() < 0.7})
