"""The rules that every module keeps."""

from app.testing.conformance import ModuleConformance


class TestOrders(ModuleConformance):
    code = "orders"
