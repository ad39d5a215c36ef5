"""Switches of the stand-in: how the API answers. Where the real one is not known, both ways can be tried."""

from typing import Any

Settings = dict[str, Any]

DEFAULTS: Settings = {
    "tracking_bug": True,
    "declined_enum": False,
    "extra_states": False,
    "hidden_fields": [],
    "money_format": "string",
    "auth_error_style": "errors",
    "null_trade_ids": False,
    "strip_zeros": False,
    "brand_unknown": False,
    "null_variants": False,
    "pageinfo_absent": False,
    "offset_cursors": False,
    "page_default": 20,
    "page_cap": 100,
    "latency_ms": 0,
    "calls_per_minute": 0,
    "feed_seconds": 2.0,
    "push_url": "",
    "push_secret": "",
}
WORDS = {
    "tracking_bug": "Asking for the tracking of a shipment fails, as it was seen",
    "declined_enum": "Shipments of which the shop has nothing are declined; else confirmed",
    "extra_states": "States that nobody has seen: shipped, canceled, refunded",
    "hidden_fields": "Fields that are not there, such as Mutation.setShipmentTracking, with commas between",
    "money_format": "Amounts are 19.99, “19.99” or “19.99 EUR”",
    "auth_error_style": "Refused keys are told so in errors, or by status 401",
    "null_trade_ids": "No product has a trade number",
    "strip_zeros": "Trade numbers lack their zeros at the left",
    "brand_unknown": "Every brand is unknown",
    "null_variants": "Units have no product",
    "pageinfo_absent": "Lists do not say whether there is a next page",
    "offset_cursors": "Cursors count rows, so that pages skip some while orders are confirmed",
    "page_default": "Rows of a page where none is said",
    "page_cap": "Most rows of a page",
    "latency_ms": "Milliseconds until the answer",
    "calls_per_minute": "Calls of a key in a minute; 0: as many as it likes",
    "feed_seconds": "Seconds between two looks at a feed; 0: only when somebody says so",
    "push_url": "Address that is told of what happens; nothing: none",
    "push_secret": "Secret its messages are signed with",
}
CHOICES: dict[str, tuple[str, ...]] = {
    "money_format": ("number", "string", "string_currency"),
    "auth_error_style": ("errors", "401"),
}


class SettingsError(ValueError):
    """There is no such switch, or it has no such place."""


def checked(given: Settings) -> Settings:
    """The switches as they can be stored. Raises SettingsError."""
    found: Settings = {}
    for name, value in given.items():
        if name not in DEFAULTS:
            raise SettingsError(f"Unknown switch {name}. There are: {', '.join(DEFAULTS)}.")
        found[name] = _read(name, value)
    return found


def _read(name: str, value: Any) -> Any:
    default = DEFAULTS[name]
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise SettingsError(f"{name}: {', '.join(CHOICES[name])}.")
        return value
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise SettingsError(f"{name}: true or false.")
        return value
    if isinstance(default, int | float):
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise SettingsError(f"{name}: a number, 0 or more.")
        return value
    if not isinstance(value, type(default)):
        raise SettingsError(f"{name}: a {'list' if isinstance(default, list) else 'text'}.")
    return value
