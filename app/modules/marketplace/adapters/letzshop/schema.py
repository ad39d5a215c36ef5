"""Whether the API still is what our documents expect: its introspection, compared with every name in them."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    parse,
    validate,
    visit,
)
from graphql.execution import get_variable_values
from graphql.language import ArgumentNode, DocumentNode, FieldNode, OperationDefinitionNode

from app.modules.marketplace.adapters.letzshop import names
from app.modules.marketplace.adapters.letzshop.client import LetzshopClient
from app.modules.marketplace.adapters.letzshop.names import DOCUMENTS, ENUM_VALUES, Document
from app.modules.marketplace.contracts import Ability, CheckOutcome, CheckReport, Finding
from app.modules.marketplace.exceptions import (
    ChannelError,
    KeyRefusedError,
    RoleMissingError,
    SchemaDriftError,
)

_QUESTION = get_introspection_query(descriptions=False)
# Without these a connection is of no use; the others are only found out.
_NEEDED = frozenset({Ability.ORDERS, Ability.DECISIONS, Ability.TRACKING, Ability.RETURNS})
_MISSING, _DEPRECATED, _EXTRA = "missing", "deprecated", "extra"


def check(client: LetzshopClient) -> CheckReport:
    """What a test of the connection finds. Raises nothing."""
    try:
        findings, is_usable = compare(client)
        client.ask(names.PROBE)
    except KeyRefusedError as error:
        return CheckReport(CheckOutcome.BAD_KEY, error.detail)
    except RoleMissingError as error:
        return CheckReport(CheckOutcome.MISSING_ROLE, error.detail)
    except SchemaDriftError as error:
        return CheckReport(CheckOutcome.SCHEMA_DRIFT, error.detail)
    except ChannelError as error:
        return CheckReport(CheckOutcome.UNREACHABLE, error.detail)
    outcome = CheckOutcome.OK if is_usable else CheckOutcome.SCHEMA_DRIFT
    missing = [one.name for one in findings if one.kind == _MISSING]
    return CheckReport(outcome, ", ".join(missing), findings)


def compare(client: LetzshopClient) -> tuple[tuple[Finding, ...], bool]:
    """What the served schema lacks, will take away or has more of; and whether orders can be worked with.

    Raises as `LetzshopClient.ask`.
    """
    try:
        served = build_client_schema(client.introspect(_QUESTION))  # type: ignore[arg-type]
    except (GraphQLError, TypeError, KeyError, ValueError) as error:
        raise SchemaDriftError(f"The introspection cannot be read ({type(error).__name__}).") from None
    return findings_of(served)


def findings_of(served: GraphQLSchema) -> tuple[tuple[Finding, ...], bool]:
    """The same of a schema that is at hand."""
    findings: dict[tuple[str, str], Finding] = {}
    is_usable = True
    for document in DOCUMENTS:
        found = list(_of_document(served, document))
        findings |= {(one.kind, one.name): one for one in found}
        if document.ability in _NEEDED and list(_missing(served, document.least)):
            is_usable = False
    findings |= {(one.kind, one.name): one for one in _of_enums(served)}
    order = (_MISSING, _DEPRECATED, _EXTRA)
    return tuple(sorted(findings.values(), key=lambda one: (order.index(one.kind), one.name))), is_usable


def _of_document(served: GraphQLSchema, document: Document) -> Iterator[Finding]:
    yield from _missing(served, document)
    names_used = _Names(served)
    visit(parse(document.text), TypeInfoVisitor(names_used.types, names_used))
    yield from names_used.deprecated


def _missing(served: GraphQLSchema, document: Document) -> Iterator[Finding]:
    parsed = parse(document.text)
    names_used = _Names(served)
    visit(parsed, TypeInfoVisitor(names_used.types, names_used))
    yield from names_used.missing
    if not names_used.missing:
        for error in validate(served, parsed):
            yield Finding(_MISSING, document.operation, error.message)
        yield from _of_variables(served, document, parsed)


def _of_variables(served: GraphQLSchema, document: Document, parsed: DocumentNode) -> Iterator[Finding]:
    """The names of inputs stand in no document: they are compared by what would be sent."""
    for operation in parsed.definitions:
        if isinstance(operation, OperationDefinitionNode):
            values = get_variable_values(served, operation.variable_definitions or (), dict(document.sample))
            for error in values if isinstance(values, list) else ():
                yield Finding(_MISSING, document.operation, error.message)


def _of_enums(served: GraphQLSchema) -> Iterator[Finding]:
    for place, known in ENUM_VALUES.items():
        type_name, _, field_name = place.partition(".")
        owner = served.get_type(type_name)
        field = owner.fields.get(field_name) if isinstance(owner, GraphQLObjectType) else None
        enum = get_named_type(field.type) if field else None
        if isinstance(enum, GraphQLEnumType):
            yield from (Finding(_MISSING, f"{enum.name}.{one}") for one in known - set(enum.values))
            yield from (Finding(_EXTRA, f"{enum.name}.{one}") for one in set(enum.values) - known)


class _Names(Visitor):
    """Fields and arguments of a document that the schema lacks, or says will go."""

    def __init__(self, served: GraphQLSchema) -> None:
        super().__init__()
        self.types = TypeInfo(served)
        self._place = ""
        self.missing: list[Finding] = []
        self.deprecated: list[Finding] = []

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """A field of a type that is known."""
        owner, found = self.types.get_parent_type(), self.types.get_field_def()
        if owner is None:
            return
        name = self._place = f"{owner.name}.{node.name.value}"
        if found is None:
            self.missing.append(Finding(_MISSING, name))
        elif found.deprecation_reason is not None:
            self.deprecated.append(Finding(_DEPRECATED, name, found.deprecation_reason))

    def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
        """An argument of a field that is known."""
        field = self.types.get_field_def()
        if field is not None and node.name.value not in field.args:
            self.missing.append(Finding(_MISSING, f"{self._place}({node.name.value})"))
