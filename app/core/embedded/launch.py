"""Becomes another program after arranging how it lives and dies. Runs as a script, without ``app``.

    python -I -S launch.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM [ARGUMENT ...]

A fresh single-threaded process may do what a fork of a threaded one may not (``unshare``, ``prctl``), so
this replaces ``preexec_fn``. IDENTITY is ``same``, ``namespace:UID`` (a user namespace in which the caller
has that uid; needs no account and changes no file) or ``user:UID:GID`` (that account, for root only).
"""

import ctypes
import os
import signal
import struct
import sys

NOT_STARTED = 127  # the exit code when the program could not be run

_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _enter_namespace(inner_uid: int) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _check(_libc.unshare(_CLONE_NEWUSER), "unshare")
    _write("/proc/self/setgroups", "deny")  # the kernel demands it before gid_map
    _write("/proc/self/uid_map", f"{inner_uid} {uid} 1")
    _write("/proc/self/gid_map", f"{inner_uid} {gid} 1")


def _become_user(uid: int, gid: int) -> None:
    """Leave root, but keep reaching files below root's private folders, as in the namespace."""
    _check(_libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl")
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    wanted = 1 << _CAP_DAC_OVERRIDE
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, struct.pack("=6I", wanted, wanted, wanted, 0, 0, 0)), "capset")
    _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0), "prctl")


def _take_identity(identity: str) -> None:
    kind, *numbers = identity.split(":")
    if kind == "namespace":
        _enter_namespace(int(numbers[0]))
    elif kind == "user":
        _become_user(int(numbers[0]), int(numbers[1]))


def main(parent: int, death_signal: int, identity: str, argv: list[str]) -> int:
    """Replace this process by ``argv``; returns an exit code only when that failed."""
    try:
        _take_identity(identity)
    except OSError as error:
        print(f"{error}", file=sys.stderr)
        return NOT_STARTED
    # After the change of identity, which clears it; the parent may have died before it was set.
    _check(_libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        return NOT_STARTED
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)  # noqa: S606
    except OSError as error:
        print(f"cannot start {argv[0]}: {error.strerror}", file=sys.stderr)
        return NOT_STARTED


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4:]))
