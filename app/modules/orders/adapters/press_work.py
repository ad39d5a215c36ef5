"""The press: a process that checks documents, or prints them as XML and PDF, and ends.

``python -m app.modules.orders.adapters.press_work check|print FOLDER`` reads ``FOLDER/papers.json`` and leaves its
answer in the folder: ``answer.json``; or for each document, by its place in the list, ``0.pdf``, ``0.cii``, ``0.ubl``.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.modules.orders.adapters.einvoice import broken_rules, write_cii, write_ubl

_TEMPLATE = Path(__file__).parent.parent / "templates" / "orders" / "documents" / "document.typ"


def main(act: str, folder: Path) -> None:
    """Do one of the two acts."""
    papers = json.loads((folder / "papers.json").read_text())
    if act == "check":
        (folder / "answer.json").write_text(json.dumps(list(broken_rules(papers))))
    else:
        _print(papers, folder)


def _print(papers: Sequence[Mapping[str, Any]], folder: Path) -> None:
    import typst
    from facturx import generate_from_binary

    compiler = typst.Compiler(_TEMPLATE, ignore_system_fonts=True)
    for place, paper in enumerate(papers):
        cii = write_cii(paper)
        plain = compiler.compile(
            format="pdf",
            pdf_standards="a-3b",
            sys_inputs={"paper": json.dumps(paper)},
            timestamp=paper["timestamp"],
        )
        assert isinstance(plain, bytes)
        title = paper["labels"]["title"]
        about = {"author": paper["seller"]["name"], "keywords": "Factur-X", "title": title, "subject": title}
        whole = generate_from_binary(
            plain,
            cii,
            flavor="factur-x",
            level="en16931",
            check_xsd=False,
            pdf_metadata=about,
            lang=paper["language"],
            afrelationship="alternative",
        )
        (folder / f"{place}.pdf").write_bytes(whole)
        (folder / f"{place}.cii").write_bytes(cii)
        (folder / f"{place}.ubl").write_bytes(write_ubl(paper))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
