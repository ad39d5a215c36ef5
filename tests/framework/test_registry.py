"""Modules are put in order, and those that do not fit together are refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.modules.base import ModuleClass, ModuleDefinition
from app.modules.registry import ModuleRegistryError, modules, order_modules, requirements


def module(code: str, *requires: str, tier: ModuleClass = ModuleClass.OPTIONAL) -> ModuleDefinition:
    """A definition without a folder."""
    return ModuleDefinition(
        code=code, name=code, module_class=tier, requires=requires, package=f"planted.{code}"
    )


def test_requirements_come_first() -> None:
    assert list(order_modules([module("c", "b"), module("b", "a"), module("a")])) == ["a", "b", "c"]


def test_a_circle_is_refused_with_every_name_on_it() -> None:
    with pytest.raises(ModuleRegistryError, match="a -> b -> c -> a"):
        order_modules([module("a", "b"), module("b", "c"), module("c", "a")])


def test_an_unknown_requirement_names_both_ends() -> None:
    with pytest.raises(ModuleRegistryError, match="'orders' requires 'stock'"):
        order_modules([module("orders", "stock")])


def test_a_code_used_twice_names_both_packages() -> None:
    with pytest.raises(ModuleRegistryError, match=r"planted\.a and elsewhere"):
        order_modules(
            [
                module("a"),
                ModuleDefinition(code="a", name="A", module_class=ModuleClass.CORE, package="elsewhere"),
            ]
        )


def test_core_modules_stand_on_core_modules_only() -> None:
    with pytest.raises(ModuleRegistryError, match="Core module 'base' requires 'extra'"):
        order_modules([module("base", "extra", tier=ModuleClass.CORE), module("extra")])


def test_nothing_stands_on_an_internal_module() -> None:
    with pytest.raises(ModuleRegistryError, match="'shop' requires the internal module 'ops'"):
        order_modules([module("shop", "ops"), module("ops", tier=ModuleClass.INTERNAL)])


def test_every_module_stands_on_the_foundation_without_naming_it() -> None:
    found = modules()
    assert set(requirements(found["catalog"], found)) == {"tenancy", "core"}
    assert list(found)[:2] == ["tenancy", "core"]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=20))
def test_any_graph_is_ordered_or_refused_for_a_real_circle(pairs: list[tuple[int, int]]) -> None:
    requires: dict[int, set[int]] = {number: set() for number in range(10)}
    for number, required in pairs:
        if required < number:
            requires[number].add(required)
    ordered = list(
        order_modules(module(f"m{n}", *(f"m{r}" for r in sorted(rs))) for n, rs in requires.items())
    )
    for number, required in ((n, r) for n, rs in requires.items() for r in rs):
        assert ordered.index(f"m{required}") < ordered.index(f"m{number}")
