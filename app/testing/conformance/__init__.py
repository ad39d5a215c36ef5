"""What every module must keep to, as tests that it inherits.

A module has one file ``tests/test_conformance.py``::

    from app.testing.conformance import ModuleConformance


    class TestModule(ModuleConformance):
        code = "catalog"

The tests read the module's definition and folder, and use the fixtures of ``app.testing.plugin``.
"""

from app.testing.conformance.declared import DeclarationRules
from app.testing.conformance.doors import DoorRules
from app.testing.conformance.switches import SwitchRules
from app.testing.conformance.tables import TableRules
from app.testing.conformance.texts import TextRules
from app.testing.conformance.work import WorkRules

__all__ = ["ModuleConformance"]


class ModuleConformance(DeclarationRules, DoorRules, SwitchRules, TableRules, TextRules, WorkRules):
    """All rules. ``code`` names the module under test."""
