"""Errors of the marketplace module."""

from typing import Any, ClassVar

from app.core.errors import AppError, NotFoundError, ValidationFailedError


class FeedError(ValidationFailedError):
    """A feed file as a whole cannot be read. ``text`` is the English detail with places for parameters."""

    code = "marketplace.feed_unreadable"
    title = "The feed cannot be read"
    text: ClassVar[str] = "The file cannot be read as a product feed."

    def __init__(self, **params: Any) -> None:
        super().__init__(self.text % params, **params)


class FeedEmptyError(FeedError):
    code = "marketplace.feed_empty"
    text = "The file is empty. Export the feed again and check that it has a header line and rows."


class FeedNoRowsError(FeedError):
    """For callers to raise: a header without rows is readable, but seldom meant."""

    code = "marketplace.feed_no_rows"
    text = "The file has a header line but no rows. Export the feed again and check its filters."


class FeedIsWebPageError(FeedError):
    code = "marketplace.feed_is_web_page"
    text = (
        "This is a web page, not a table. If you gave an address, open it in a private browser window: "
        "it must download the CSV or TSV file without a sign-in."
    )


class FeedNotATableError(FeedError):
    """``kind``: the format that was recognised, e.g. JSON."""

    code = "marketplace.feed_not_a_table"
    text = "This is a %(kind)s file, not a text table. Save or export it as CSV or TSV and import that file."


class FeedNulBytesError(FeedError):
    """``line``: where the first NUL stands."""

    code = "marketplace.feed_nul_bytes"
    text = (
        "Line %(line)s contains NUL bytes, which text files do not have. "
        "Save the file as CSV or TSV in UTF-8 and import it again."
    )


class FeedEncodingError(FeedError):
    """``line``: the first line that cannot be read; ``encoding``: what the file seemed to be."""

    code = "marketplace.feed_encoding"
    text = (
        "Line %(line)s has characters that are not %(encoding)s, unlike the lines before it. "
        "Save the whole file in UTF-8 and import it again."
    )


class FeedLineTooLongError(FeedError):
    """``line``: the line; ``limit``: bytes a line may have."""

    code = "marketplace.feed_line_too_long"
    text = (
        "Line %(line)s is longer than %(limit)s bytes. Check that the file is a CSV or TSV table "
        "with one product per line."
    )


class FeedQuotesError(FeedError):
    """``line``: where the quoted cell begins."""

    code = "marketplace.feed_quotes"
    text = (
        "The quotation marks from line %(line)s on do not match. Put cells that contain quotation marks "
        "in quotation marks and double the marks inside, or export the file with another program."
    )


class FeedColumnsMissingError(FeedError):
    """``columns``: the missing ones; ``found``: the header's names."""

    code = "marketplace.feed_columns_missing"
    text = "The header line lacks these columns: %(columns)s. It has: %(found)s. Add or rename the columns."


class FeedColumnsDuplicateError(FeedError):
    """``columns``: the names that occur more than once."""

    code = "marketplace.feed_columns_duplicate"
    text = "The header line has these columns more than once: %(columns)s. Keep one of each."


class RowsFailedError(AppError):
    """An all-or-nothing import had bad rows, so nothing was imported; params: ``failed``, ``rows``."""

    status = 422
    code = "marketplace.rows_failed"
    title = "Nothing was imported"

    def __init__(self, *, failed: int, rows: int) -> None:
        super().__init__(
            f"{failed} of {rows} rows have errors, so nothing was imported.", failed=failed, rows=rows
        )


class ImportNotFoundError(NotFoundError):
    """The vendor has no such import."""

    code = "marketplace.import_not_found"
    title = "There is no such import"


class ExportNotFoundError(NotFoundError):
    """The vendor has no such export."""

    code = "marketplace.export_not_found"
    title = "There is no such export"


class SourceNotFoundError(NotFoundError):
    """No feed of the vendor has such a row."""

    code = "marketplace.source_not_found"
    title = "There is no such row"
