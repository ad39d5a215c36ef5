"""The import rules as a contract of import-linter; `.importlinter` names one contract for each rule."""

from typing import TYPE_CHECKING

from importlinter import Contract, ContractCheck, fields, output
from importlinter.domain.contract import InvalidContractOptions

from app.modules.registry import modules
from app.modules.verify.imports import RULES, ImportFault, import_faults

if TYPE_CHECKING:
    from grimp import ImportGraph


class BordersContract(Contract):
    """Keeps one rule of ``app.modules.verify.imports.RULES`` over the installed modules.

    The list of modules and what they require come from the registry, so the contract never needs editing.
    """

    type_name = "wizamart_borders"
    rule: str = fields.StringField()  # type: ignore[assignment]  # the base class puts the value here

    def validate(self) -> None:
        """Refuse a rule that does not exist."""
        if self.rule not in RULES:
            raise InvalidContractOptions(
                {"rule": f"There is no rule {self.rule}. Choose one of {', '.join(RULES)}."}
            )

    def check(self, graph: "ImportGraph", verbose: bool) -> ContractCheck:
        """All faults of the rule in the graph."""
        faults = [fault for fault in import_faults(graph, modules()) if fault.rule == self.rule]
        output.verbose_print(verbose, f"{self.rule}: {len(faults)} faults")
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """One line for each fault, then the way out."""
        faults: list[ImportFault] = check.metadata["faults"]
        for fault in faults:
            output.print_error(
                f"- {fault.importer} -> {fault.imported} (l.{fault.line}): {fault.message}", bold=False
            )
        output.print_error(RULES[self.rule], bold=False)
