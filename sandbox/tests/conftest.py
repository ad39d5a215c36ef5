"""One sandbox for all tests, emptied before each; its clock stands still at the start of 2026."""

from collections.abc import Iterator

import pytest

from sandbox.testing import Sandbox, running_sandbox
from sandbox.tests.kit import START, Shop, make_shop


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def box(running: Sandbox) -> Sandbox:
    running.control("POST", "/reset", {})
    running.control("POST", "/clock", {"frozen_at": START})
    return running


@pytest.fixture
def shop(box: Sandbox) -> Shop:
    return make_shop(box)
