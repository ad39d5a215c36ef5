"""Who carries parcels: the carriers that everybody has, and a vendor's own."""

from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.modules.orders.models.shipment import Carrier

_PLACE = "{number}"


@dataclass(frozen=True, slots=True)
class CarrierView:
    """A carrier; ``tracking_url`` has ``{number}`` where the tracking number stands."""

    code: str
    name: str
    tracking_url: str | None
    is_own: bool = False


_USUAL = (
    CarrierView("greco", "Greco", "https://dispatchweb.fr/Tracky/Home/{number}"),
    CarrierView(
        "post-lu",
        "POST Luxembourg",
        "https://www.post.lu/en/particuliers/colis-courrier/track-and-trace#/search/{number}",
    ),
    CarrierView("dhl", "DHL", "https://www.dhl.com/en/express/tracking.html?AWB={number}"),
    CarrierView("dpd", "DPD", "https://tracking.dpd.de/status/en_US/parcel/{number}"),
    CarrierView("ups", "UPS", "https://www.ups.com/track?tracknum={number}"),
    CarrierView("gls", "GLS", "https://gls-group.eu/track/{number}"),
    CarrierView("colissimo", "Colissimo", "https://www.laposte.fr/outils/suivre-vos-envois?code={number}"),
)


def list_carriers(session: Session) -> list[CarrierView]:
    """The carriers that the vendor can choose: the usual ones, its own words for them, and its own ones."""
    own = session.scalars(select(Carrier).order_by(Carrier.name)).all()
    said = {row.code for row in own}
    return [
        *(one for one in _USUAL if one.code not in said),
        *(CarrierView(row.code, row.name, row.tracking_url, True) for row in own if row.is_active),
    ]


def carrier_codes(session: Session) -> set[str]:
    """The codes of the carriers that can be chosen."""
    return {one.code for one in list_carriers(session)}


def tracking_link(carrier: CarrierView | None, number: str | None) -> str | None:
    """Where a parcel can be followed; None where that is not known."""
    if carrier is None or not carrier.tracking_url or not number:
        return None
    return carrier.tracking_url.replace(_PLACE, quote(number, safe=""))
