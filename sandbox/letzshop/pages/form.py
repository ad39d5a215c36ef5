"""What a form sent: every field may be there several times."""

Form = dict[str, list[str]]


def first(form: Form, name: str, default: str = "") -> str:
    """The field's first value, or the default where it is empty."""
    return (form.get(name) or [""])[0] or default
