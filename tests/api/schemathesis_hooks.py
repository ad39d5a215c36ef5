"""What the description cannot say of data: where addresses lead, that cursors are ours, that keys are used once."""

from uuid import uuid4

import schemathesis
from hypothesis import strategies as st

schemathesis.openapi.format("cursor", st.just(""))
schemathesis.openapi.format("uri", st.just("https://shop.example/feed.csv"))
schemathesis.openapi.format("field-names", st.just(""))  # with a choice of fields, others are not there
schemathesis.openapi.format("gtin", st.just("4006381333931"))
schemathesis.openapi.format("idempotency-key", st.just("once"))


@schemathesis.hook
def before_call(_ctx: schemathesis.HookContext, case: schemathesis.Case, _kwargs: dict[str, object]) -> None:
    """A new act each time; a request that is to lack its key is left as it is."""
    data = getattr(case.meta.phase, "data", None) if case.meta else None
    if getattr(data, "parameter", None) == "Authorization" or not case.headers:
        return
    if case.headers.get("Idempotency-Key") == "once":
        case.headers["Idempotency-Key"] = str(uuid4())
