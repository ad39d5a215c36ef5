"""Three core modules that exist in the proof only: one publishes events and has the tasks, all three listen."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.modules import registry
from app.modules.base import CatchUp, ModuleClass, ModuleDefinition, Overlap, ScheduledTask

PACKAGE = "app.testing.delivery"
TASKS = f"{PACKAGE}.tasks"
EVENT = "delivery.parcel_moved"
LISTENERS = ("delivery", "delivery-second", "delivery-third")
SCHEDULE = "delivery.tick"

_ENTRY_POINTS = """[wizamart.modules]
delivery = app.testing.delivery.definition:first
delivery-second = app.testing.delivery.definition:second
delivery-third = app.testing.delivery.definition:third
"""


def _listener(code: str, handler: str) -> ModuleDefinition:
    return ModuleDefinition(
        code=code,
        name="Delivery",
        module_class=ModuleClass.CORE,
        package=PACKAGE,
        handlers={EVENT: f"{PACKAGE}.handlers:{handler}"},
    )


first = ModuleDefinition(
    code="delivery",
    name="Delivery",
    module_class=ModuleClass.CORE,
    package=PACKAGE,
    tasks_path=TASKS,
    publishes=(EVENT,),
    handlers={EVENT: f"{PACKAGE}.handlers:first"},
    scheduled_tasks=[
        ScheduledTask(SCHEDULE, f"{TASKS}.tick", "* * * * *", catch_up=CatchUp.ALL, overlap=Overlap.ALLOW)
    ],
)
second = _listener("delivery-second", "second")
third = _listener("delivery-third", "third")


@contextmanager
def installed(folder: Path) -> Iterator[Path]:
    """The modules installed as a distribution would: here, and in every process with the folder on its path."""
    record = folder / "delivery-0.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: delivery\nVersion: 0\n", encoding="ascii")
    (record / "entry_points.txt").write_text(_ENTRY_POINTS, encoding="ascii")
    sys.path.insert(0, str(folder))
    registry.modules.cache_clear()
    try:
        yield folder
    finally:
        sys.path.remove(str(folder))
        registry.modules.cache_clear()
