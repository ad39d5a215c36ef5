"""What can be wrong with a feed file as a whole."""

from typing import Any, ClassVar

from app.core.errors import ValidationFailedError


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
        "Line %(line)s has characters that are not %(encoding)s, unlike the other lines. "
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


class FeedArchiveDamagedError(FeedError):
    """``kind``: ZIP or gzip."""

    code = "marketplace.feed_archive_damaged"
    text = "The %(kind)s file is cut off or damaged. Download or export it again."


class FeedArchiveTooLargeError(FeedError):
    """``limit``: bytes that the file may have when it is unpacked."""

    code = "marketplace.feed_archive_too_large"
    text = (
        "Unpacked, this file has more than %(limit)s bytes, which is too much for its size. "
        "Export fewer products at a time, or give the file as it is, not packed."
    )


class FeedArchiveEncryptedError(FeedError):
    code = "marketplace.feed_archive_encrypted"
    text = "The ZIP file is protected by a password. Pack the table again without a password."


class FeedArchiveEmptyError(FeedError):
    code = "marketplace.feed_archive_empty"
    text = "The ZIP file holds no table. Pack one CSV, TSV or XML file and import that."


class FeedArchiveSeveralError(FeedError):
    """``found``: names of the tables."""

    code = "marketplace.feed_archive_several"
    text = "The ZIP file holds more than one table: %(found)s. Pack one of them alone and import that."


class FeedArchiveNestedError(FeedError):
    """``kind``: what the archive holds."""

    code = "marketplace.feed_archive_nested"
    text = "The archive holds a %(kind)s file, not a table. Unpack it, and import the CSV, TSV or XML file inside."


class FeedArchiveMethodError(FeedError):
    code = "marketplace.feed_archive_method"
    text = "The ZIP file is packed in a way that cannot be read. Pack it again as a usual ZIP file."


class FeedXmlBrokenError(FeedError):
    """``line``: where the document stops making sense."""

    code = "marketplace.feed_xml_broken"
    text = (
        "The XML is broken at line %(line)s: for example a tag that is not closed, or a bare & or < in a text. "
        "Export the feed again; if you write it yourself, check it with an XML validator."
    )


class FeedXmlCutOffError(FeedError):
    """``line``: the last one."""

    code = "marketplace.feed_xml_cut_off"
    text = "The XML ends in the middle, at line %(line)s. Download or export the feed again."


class FeedXmlUnsafeError(FeedError):
    """``line``: of the declaration."""

    code = "marketplace.feed_xml_unsafe"
    text = (
        "The XML declares a document type (DOCTYPE) at line %(line)s, which a product feed does not need and which "
        "can be misused. Remove the declaration and import the feed again."
    )


class FeedXmlNoItemsError(FeedError):
    """``root``: the outermost tag."""

    code = "marketplace.feed_xml_no_items"
    text = (
        "The XML (<%(root)s>) has no products. Products are expected as <item> (RSS), <entry> (Atom) or <product>. "
        "Export the feed in the Google product feed format."
    )


class FeedXmlItemTooLargeError(FeedError):
    """``line``: where the product begins; ``limit``: bytes."""

    code = "marketplace.feed_xml_item_too_large"
    text = "The product at line %(line)s of the XML has more than %(limit)s bytes. Shorten its texts."


class FeedTooManyColumnsError(FeedError):
    """``limit``: columns a feed may have."""

    code = "marketplace.feed_too_many_columns"
    text = "The feed has more than %(limit)s different fields. Export only the fields of products that are needed."


class FeedTooManyParentsError(FeedError):
    """``limit``: products with variations that one file may have."""

    code = "marketplace.feed_too_many_parents"
    text = "The file has more than %(limit)s products with variations. Export it in several parts."


class FeedNothingForSaleError(FeedError):
    """``count``: products that were left out."""

    code = "marketplace.feed_nothing_for_sale"
    text = (
        "None of the %(count)s products in this file is for sale: they are drafts, archived or not published. "
        "Publish them in your shop and export again."
    )


class FeedColumnsUnmappedError(FeedError):
    """``columns``: the fields that no column stands for; ``found``: the header's names."""

    code = "marketplace.feed_columns_unmapped"
    text = (
        "No column stands for: %(columns)s. The file has: %(found)s. "
        "Say in the column mapping which column holds what, and import again."
    )


class FeedMappingFieldError(FeedError):
    """``fields``: names in the mapping that are no fields."""

    code = "marketplace.feed_mapping_field"
    text = "The column mapping names fields that do not exist: %(fields)s. Choose fields from the list."


class FeedMappingTwiceError(FeedError):
    """``fields``: fields that several columns are mapped to."""

    code = "marketplace.feed_mapping_twice"
    text = "The column mapping gives several columns to: %(fields)s. Choose one column for each field."


class FeedMappingColumnError(FeedError):
    """``columns``: names in the mapping that the file lacks; ``found``: the header's names."""

    code = "marketplace.feed_mapping_column"
    text = (
        "The column mapping names columns that this file does not have: %(columns)s. It has: %(found)s. "
        "Correct the mapping, or export the file with these columns."
    )
