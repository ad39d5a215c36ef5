"""What every module must keep to."""

from app.testing.conformance import ModuleConformance


class TestPayments(ModuleConformance):
    code = "payments"
