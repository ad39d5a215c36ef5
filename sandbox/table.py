"""The table of covered operations, as the README shows it: ``python -m sandbox.table``."""

from collections.abc import Iterator, Mapping

from sandbox.stripe import OPERATION_MODULES
from sandbox.stripe.forms import TIME_RANGE, Spec
from sandbox.stripe.operations import OPERATIONS


def table() -> str:
    """Markdown: every operation with the parameters it reads."""
    assert OPERATION_MODULES
    rows = sorted((one.path, one.method, ", ".join(_names(one.params))) for one in OPERATIONS)
    lines = ["| operation | parameters |", "|---|---|"]
    lines += [f"| `{method} {path}` | {names} |" for path, method, names in rows]
    return "\n".join(lines)


def _names(params: Mapping[str, Spec]) -> Iterator[str]:
    for name, spec in sorted(params.items()):
        mark = "[]" if isinstance(spec, list) else ""
        inner = spec[0] if isinstance(spec, list) else spec
        if isinstance(inner, dict) and inner is not TIME_RANGE:
            yield f"{name}{mark}{{{', '.join(_names(inner))}}}"
        elif isinstance(inner, tuple):
            yield f"{name} ({' / '.join(inner)})"
        else:
            yield f"{name}{mark}"


if __name__ == "__main__":
    print(table())
