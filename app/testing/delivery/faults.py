"""Which faults a run plays, chosen by its seed, and playing them."""

import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path

from app.core import clock
from app.core.database import SYSTEM, unit_of_work
from app.modules import state
from app.testing.delivery.points import POINTS, Action
from app.testing.delivery.processes import Processes, Running
from app.testing.delivery.servers import ScratchServers

# Longer than the lease and the idle limit together: whoever sleeps so long has lost its run.
STALE_SECONDS = 20.0
_HIT_SECONDS = 12.0
_STOPPED_AT_ONCE = 2
_POLL_SECONDS = 0.05
_STOP_POINTS = (
    "before_commit",
    "before_effect",
    "after_effect",
    "after_claim",
    "before_send",
    "before_claim",
)
_MACHINE = ("broker_out", "postgres_crash", "third_beat", "postgres_restart")
_PROCESS = ("kill_child", "stop_child", "kill_worker", "stop_beat", "stop_worker", "kill_beat")


@dataclass(frozen=True, slots=True)
class Fault:
    """``kind`` is a point's action (with the ``point``) or a method of ``Attack``."""

    kind: str
    point: str | None = None


def plan(seed: int, rounds: int) -> list[list[Fault]]:
    """The faults of each round: one stop and two kills at points, one of the machine, one of a process, a clock step.

    Everything comes once before anything comes twice.
    """
    choice = random.Random(seed)

    def in_turn(names: Sequence[str], count: int) -> list[str]:
        return list(islice(cycle(choice.sample(names, len(names))), count))

    stops, kills = in_turn(_STOP_POINTS, rounds), in_turn(POINTS, 2 * rounds)
    machine, process = in_turn(_MACHINE, rounds), in_turn(_PROCESS, rounds)
    found = []
    for number in range(rounds):
        faults = [Fault("kill", point) for point in kills[2 * number : 2 * number + 2]]
        faults += [Fault(machine[number]), Fault(process[number]), Fault("step_clock")]
        found.append([Fault("stop", stops[number]), *choice.sample(faults, len(faults))])
    return found


@dataclass(slots=True)
class Attack:
    """Plays faults on processes and servers; ``played`` counts them, ``missed`` are the points nobody reached."""

    processes: Processes
    servers: ScratchServers
    points: Path
    choice: random.Random
    outage_seconds: float
    played: dict[str, int] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def play(self, fault: Fault) -> None:
        """One fault; afterwards what died runs again."""
        if fault.kind.startswith("stop"):
            # Recovery needs somebody who is awake.
            self.wait_until(lambda: len(self.processes.stopped) < _STOPPED_AT_ONCE, STALE_SECONDS)
        if fault.point is not None:
            self._at_point(fault.point, "stop" if fault.kind == "stop" else "kill")
        else:
            getattr(self, f"_{fault.kind}")()
            self._count(fault.kind)

    def pause(self, seconds: float) -> None:
        """Let time pass, looking after the processes."""
        self.wait_until(lambda: False, seconds)

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether it came to hold in the time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.processes.look_after()
            if condition():
                return True
            time.sleep(_POLL_SECONDS)
        return False

    def _count(self, kind: str) -> None:
        self.played[kind] = self.played.get(kind, 0) + 1

    def _at_point(self, point: str, action: Action) -> None:
        armed = self.points / f"{point}.{action}"
        former = set(self.points.glob("*.hit"))
        armed.touch()
        hit: list[Path] = []

        def is_hit() -> bool:
            hit[:] = set(self.points.glob(f"{point}.{action}.*.hit")) - former
            return bool(hit)

        if not self.wait_until(is_hit, _HIT_SECONDS):
            armed.unlink(missing_ok=True)
            if not is_hit():
                self.missed.append(f"{action} {point}")
                return
        self._count(f"{action} {point}")
        if action == "stop":
            self.processes.stop_for(int(hit[0].name.split(".")[2]), STALE_SECONDS)

    def _kill_child(self) -> None:
        self.processes.kill(self._child())

    def _stop_child(self) -> None:
        self.processes.stop_for(self._child(), self._a_while())

    def _kill_worker(self) -> None:
        self.processes.kill(self._any("worker").process.pid)

    def _stop_worker(self) -> None:
        self.processes.stop_for(self._any("worker").process.pid, self._a_while())

    def _kill_beat(self) -> None:
        self.processes.kill(self._any("beat").process.pid)

    def _stop_beat(self) -> None:
        self.processes.stop_for(self._any("beat").process.pid, self._a_while())

    def _third_beat(self) -> None:
        self.processes.start(f"beat-{len(self.processes.named('beat')) + 1}", "beat")

    def _broker_out(self) -> None:
        self.servers.broker.stop_and_forget()
        self.pause(self.outage_seconds)
        self.servers.broker.start()

    def _postgres_crash(self) -> None:
        self.servers.stop_postgres(signal.SIGQUIT)
        self.pause(self.outage_seconds / 5)
        self.servers.start_postgres()

    def _postgres_restart(self) -> None:
        self.servers.stop_postgres(signal.SIGINT)
        self.servers.start_postgres()

    def _step_clock(self) -> None:
        step = timedelta(minutes=self.choice.randint(2, 150), seconds=self.choice.randrange(60))
        with unit_of_work(SYSTEM) as session:
            state.set_clock_offset(session, clock.offset() + step)
        state.forget_snapshot()
        state.refresh()

    def _any(self, kind: str) -> Running:
        return self.choice.choice(self.processes.named(kind))

    def _child(self) -> int:
        """A child of a worker that is not stopped; the worker itself while it has none."""
        worker = self._any("worker")
        free = [pid for pid in worker.children() if pid not in self.processes.stopped]
        return self.choice.choice(free or [worker.process.pid])

    def _a_while(self) -> float:
        return self.choice.choice((3.0, STALE_SECONDS))
