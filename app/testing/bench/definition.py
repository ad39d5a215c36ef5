"""The module that benchmarks install: tasks that do nothing or write one row, and a listener."""

from app.modules.base import ModuleClass, ModuleDefinition

definition = ModuleDefinition(
    code="bench",
    name="Bench",
    module_class=ModuleClass.CORE,  # on everywhere without a switch
    package="app.testing.bench",
    tasks_path="app.testing.bench.tasks",
    publishes=("bench.probe_sent",),
    handlers={"bench.probe_sent": "app.testing.bench.handlers:on_probe_sent"},
)
