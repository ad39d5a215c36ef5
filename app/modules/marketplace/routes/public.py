"""The address at which marketplaces fetch a vendor's feed. It takes no session and sets no cookie."""

import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path

from fastapi import Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from app.core import rate_limit
from app.core.database import TenantScope, acting_in
from app.core.errors import RateLimitedError
from app.modules.marketplace.exceptions import ExportNotFoundError
from app.modules.marketplace.models.feed_export import FeedExport
from app.modules.marketplace.services.export_round_service import open_vendor
from app.modules.marketplace.services.export_sending_service import find_sent
from app.modules.marketplace.services.feed_export_service import file_of
from app.modules.marketplace.services.feed_link_service import FeedLink, link_version, read_token
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

router = AreaRouter("public")

_PER_MINUTE = 60  # of one address; of wrong ones from one place
_MEDIA_TYPE = "text/tab-separated-values; charset=utf-8"
_CHUNK_BYTES = 256 * 1024
_GZIP = 16 + zlib.MAX_WBITS  # a header without name and time: the same file gives the same bytes


@router.action("/feeds/{feed_token}", permission=None, method="GET")
def feed(ctx: PageContext, feed_token: str) -> Response:
    """The file that was sent last."""
    link = read_token(feed_token)
    _limit(ctx.request, feed_token if link else None)
    row = _find(ctx, link) if link else None
    path = file_of(row) if row else None
    if row is None or path is None:
        raise ExportNotFoundError
    is_zipped = "range" not in ctx.request.headers and _accepts_gzip(ctx.request)
    headers = _headers(row, is_zipped=is_zipped)
    if _is_known(ctx.request, headers["ETag"], row.sent_at):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = f'attachment; filename="{row.file_name}"'
    if not is_zipped:
        return FileResponse(path, media_type=_MEDIA_TYPE, headers=headers)
    headers["Content-Encoding"] = "gzip"
    parts = _zipped(path) if ctx.request.method == "GET" else iter(())
    return StreamingResponse(parts, media_type=_MEDIA_TYPE, headers=headers)


def _limit(request: Request, token: str | None) -> None:
    ip = request.client.host if request.client else None
    key = f"feed:{token}" if token else f"no-feed:{ip}"
    rate = rate_limit.hit(key, limit=_PER_MINUTE, window_seconds=60)
    if not rate.allowed:
        raise RateLimitedError(retry_after=rate.retry_after)


def _find(ctx: PageContext, link: FeedLink) -> FeedExport | None:
    vendor = open_vendor(link.vendor_id)
    if vendor is None:
        return None
    with acting_in(ctx.session, TenantScope(vendor.id, vendor.company_id)):
        if link_version(ctx.session) != link.version:
            return None
        return find_sent(ctx.session, link.language)


def _headers(row: FeedExport, *, is_zipped: bool) -> dict[str, str]:
    assert row.sha256 is not None
    assert row.sent_at is not None
    # With its time, so that a file that is sent again is fetched again.
    tag = f"{row.sha256.hex()}-{int(row.sent_at.timestamp()):x}"
    return {
        "ETag": f'"{tag}{"-gzip" if is_zipped else ""}"',
        "Last-Modified": format_datetime(row.sent_at.astimezone(UTC), usegmt=True),
        "Cache-Control": "public, max-age=300",
        "Vary": "Accept-Encoding",
    }


def _is_known(request: Request, etag: str, sent_at: datetime | None) -> bool:
    """Whether who asks has this very file: by its tag, and only without one by its time."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return etag in known or "*" in known
    try:
        since = parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except ValueError:
        return False
    if since.tzinfo is None or sent_at is None:
        return False
    return sent_at.replace(microsecond=0) <= since


def _accepts_gzip(request: Request) -> bool:
    offers = request.headers.get("accept-encoding", "").lower().replace(" ", "").split(",")
    qualities = {name: quality for name, _, quality in (offer.partition(";q=") for offer in offers)}
    quality = qualities.get("gzip", qualities.get("*", "0"))
    return not quality or quality.strip("0.") != ""


def _zipped(path: Path) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield packer.compress(chunk)
    yield packer.flush()
