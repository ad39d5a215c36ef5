"""What every module must keep to."""

from app.testing.conformance import ModuleConformance


class TestModule(ModuleConformance):
    code = "order-folder"
