"""What a check found, and the three ways to write it down."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import orjson

Format = Literal["text", "json", "sarif"]
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken rule: ``file`` relative to the repository root, ``line`` from 1, ``fix`` what to do."""

    file: str
    line: int
    rule: str
    message: str
    fix: str


def format_findings(findings: Sequence[Finding], fmt: Format = "text") -> str:
    """The findings for people (``text``), programs (``json``) or code scanners (``sarif``, version 2.1.0)."""
    if fmt == "json":
        return _pretty([asdict(finding) for finding in findings])
    if fmt == "sarif":
        return _pretty(_sarif(findings))
    return _text(findings)


def _pretty(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n"


def _text(findings: Sequence[Finding]) -> str:
    if not findings:
        return "No findings.\n"
    lines = [
        f"{finding.file}:{finding.line}: {finding.rule}: {finding.message}\n    fix: {finding.fix}"
        for finding in findings
    ]
    noun = "finding" if len(findings) == 1 else "findings"
    return "\n".join([*lines, f"{len(findings)} {noun} of {_count_rules(findings)}.", ""])


def _count_rules(findings: Iterable[Finding]) -> str:
    rules = {finding.rule for finding in findings}
    return f"{len(rules)} rule{'s' if len(rules) > 1 else ''}"


def _sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    rules = sorted({finding.rule for finding in findings})
    return {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "wizamart-verify", "rules": [{"id": rule} for rule in rules]}},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {"ROOT": {"description": {"text": "The repository root."}}},
                "results": [
                    {
                        "ruleId": finding.rule,
                        "ruleIndex": rules.index(finding.rule),
                        "level": "error",
                        "message": {"text": f"{finding.message} Fix: {finding.fix}"},
                        "locations": [{"physicalLocation": _location(finding)}],
                    }
                    for finding in findings
                ],
            }
        ],
    }


def _location(finding: Finding) -> dict[str, Any]:
    return {
        "artifactLocation": {"uri": finding.file, "uriBaseId": "ROOT"},
        "region": {"startLine": max(finding.line, 1)},
    }
