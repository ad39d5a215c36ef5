"""Ends what a killed supervisor left behind. Runs as a script, without the rest of ``app``.

Reads ``+GROUP`` (started) and ``-GROUP`` (gone) lines of process groups from its input. When the input ends,
the supervisor is gone: groups that still live then get a little time to end by themselves (the kernel has
told their first processes), then they are killed with all their descendants.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

_GRACE_SECONDS = 5.0


def groups_left(lines: Iterable[str]) -> set[int]:
    """The process groups that were started and not reported gone."""
    groups: set[int] = set()
    for line in lines:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    return groups


def _signalled(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Wait for the supervisor's end, then see that its processes end too."""
    groups = groups_left(sys.stdin)
    deadline = time.monotonic() + _GRACE_SECONDS
    while groups and time.monotonic() < deadline:
        groups = {group for group in groups if _signalled(group, 0)}
        time.sleep(0.1)
    for group in groups:
        _signalled(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
