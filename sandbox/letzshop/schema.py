"""The schema as it is served: what is known of it, and how it may turn out to be."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import DocumentNode, GraphQLError, GraphQLSchema, build_ast_schema, parse, validate
from graphql.language import (
    EnumTypeDefinitionNode,
    EnumValueDefinitionNode,
    NameNode,
    ObjectTypeDefinitionNode,
)

from sandbox.letzshop.settings import Settings

SDL = (Path(__file__).parent / "schema.graphql").read_text("utf-8")
Read = tuple[DocumentNode | None, tuple[GraphQLError, ...]]
_MOST_TOKENS = 10_000
_MORE_STATES = {
    "ShipmentStateEnum": ("shipped", "canceled"),
    "InventoryUnitStateEnum": ("refunded",),
}

_PAGE_INFOS = tuple(f"{name}Connection.pageInfo" for name in ("Shipment", "Product", "Vendor", "Taxon"))


def served(switches: Settings) -> GraphQLSchema:
    """The schema under these switches."""
    more: list[tuple[str, str]] = []
    if switches["declined_enum"]:
        more.append(("ShipmentStateEnum", "declined"))
    if switches["extra_states"]:
        more += [(enum, value) for enum, values in _MORE_STATES.items() for value in values]
    hidden = [*switches["hidden_fields"], *(_PAGE_INFOS if switches["pageinfo_absent"] else ())]
    return _build(tuple(more), frozenset(hidden))


@lru_cache(maxsize=32)
def _build(more: tuple[tuple[str, str], ...], hidden: frozenset[str]) -> GraphQLSchema:
    definitions: list[Any] = []
    for node in parse(SDL, no_location=True).definitions:
        changed: Any = node
        if isinstance(node, EnumTypeDefinitionNode):
            added = [
                EnumValueDefinitionNode(name=NameNode(value=v)) for enum, v in more if enum == node.name.value
            ]
            changed = EnumTypeDefinitionNode(name=node.name, values=(*(node.values or ()), *added))
        elif isinstance(node, ObjectTypeDefinitionNode):
            kept = [one for one in node.fields or () if f"{node.name.value}.{one.name.value}" not in hidden]
            changed = ObjectTypeDefinitionNode(name=node.name, fields=tuple(kept))
        definitions.append(changed)
    return build_ast_schema(DocumentNode(definitions=tuple(definitions)))


@lru_cache(maxsize=256)
def read(schema: GraphQLSchema, query: str) -> Read:
    """The document, or what is wrong with it."""
    try:
        document = parse(query, max_tokens=_MOST_TOKENS)
    except GraphQLError as error:
        return None, (error,)
    errors = validate(schema, document)
    return (None, tuple(errors)) if errors else (document, ())
