"""Closed vocabularies of the marketplace module."""

from enum import StrEnum


class RowErrorCode(StrEnum):
    """What can be wrong with one row of a feed. Texts: message key ``marketplace.row_errors.<code>``."""

    WRONG_CELL_COUNT = "wrong_cell_count"
    STRAY_QUOTE = "stray_quote"
    UNCLOSED_QUOTE = "unclosed_quote"
    STRAY_LINE_BREAK = "stray_line_break"
    CELL_TOO_LARGE = "cell_too_large"
    PRODUCT_TOO_LARGE = "product_too_large"
    PARENT_MISSING = "parent_missing"

    REQUIRED_EMPTY = "required_empty"
    TEXT_TOO_LONG = "text_too_long"
    NUL_CHARACTER = "nul_character"
    SPREADSHEET_ERROR = "spreadsheet_error"
    VALUE_UNKNOWN = "value_unknown"
    BOOLEAN_MALFORMED = "boolean_malformed"
    MULTIPACK_MALFORMED = "multipack_malformed"
    DATE_MALFORMED = "date_malformed"
    URL_MALFORMED = "url_malformed"
    TOO_MANY_IMAGES = "too_many_images"

    PRICE_MALFORMED = "price_malformed"
    PRICE_AMBIGUOUS = "price_ambiguous"
    PRICE_NEGATIVE = "price_negative"
    PRICE_ZERO = "price_zero"
    PRICE_DECIMALS = "price_decimals"
    PRICE_TOO_LARGE = "price_too_large"
    CURRENCY_UNKNOWN = "currency_unknown"
    SALE_PRICE_NOT_LOWER = "sale_price_not_lower"
    SALE_PRICE_CURRENCY = "sale_price_currency"
    SALE_DATES_MALFORMED = "sale_dates_malformed"
    SALE_DATES_ORDER = "sale_dates_order"

    GTIN_MALFORMED = "gtin_malformed"
    GTIN_LENGTH = "gtin_length"
    GTIN_CHECK_DIGIT = "gtin_check_digit"
    GTIN_SCIENTIFIC = "gtin_scientific"
    GTIN_DECIMAL = "gtin_decimal"
    GTIN_ZEROS_LOST = "gtin_zeros_lost"

    # Found by the database, over all chunks of a run.
    DUPLICATE_ID = "duplicate_id"

    # Said by the catalogue: the vendor's plan has no room for the product, or it is over the plan's limit already.
    OVER_LIMIT = "catalog.over_limit"


class SourceKind(StrEnum):
    """Where the file of an import comes from."""

    UPLOAD = "upload"
    URL = "url"


class ErrorPolicy(StrEnum):
    """What bad rows do to an import."""

    SKIP_BAD_ROWS = "skip-bad-rows"
    ALL_OR_NOTHING = "all-or-nothing"


class FeedFormat(StrEnum):
    """What the files of a feed are; ``auto``: found out for each."""

    AUTO = "auto"
    GOOGLE = "google"
    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    TABLE = "table"


class BlankCells(StrEnum):
    """What an empty cell does to the value there is."""

    CLEAR = "clear"
    KEEP = "keep"


class MissingRows(StrEnum):
    """What becomes of products that a feed has no longer."""

    KEEP = "keep"
    OUT_OF_STOCK = "out_of_stock"


class Marketplace(StrEnum):
    """Whose feeds they are."""

    LETZSHOP = "letzshop"


class ActKind(StrEnum):
    """What a marketplace is told. Texts: message key ``marketplace.act_kinds.<kind>``."""

    DECIDE = "decide"
    TRACK = "track"
    RETURN = "return"


class ActState(StrEnum):
    """``refused``: given up, until somebody tries again. Texts: message key ``marketplace.act_states.<state>``."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class DriftKind(StrEnum):
    """How an offer differs from what was told. Texts: message key ``marketplace.drift_kinds.<kind>``."""

    PRICE = "price"
    AVAILABILITY = "availability"
    MISSING_THERE = "missing_there"
    UNKNOWN_HERE = "unknown_here"
