from __future__ import annotations

import pytest

from nacre.layers.usage import Efficiency, LayerUsage, Repeated, efficiency, layer_usage
from tests.unit.layers.stacks import (
    Member,
    Stack,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    symlink,
    table,
    tar_of,
)


def of(*layers: list[Member]) -> Efficiency:
    return efficiency([table(tar_of(layer)) for layer in layers])


def sized(name: str, size: int) -> Member:
    return file(name, b"x" * size)


def test_a_lone_layer_is_efficient() -> None:
    assert of([sized("a", 10), sized("b", 20)]) == Efficiency(1.0, 0, ())
    assert of() == of([]) == of([folder("a")]) == Efficiency(1.0, 0, ())


def test_a_file_in_two_layers_counts_once_in_its_smallest_form() -> None:
    found = of([sized("a", 30), sized("b", 40)], [sized("a", 10)])
    assert found == Efficiency((10 + 40) / 80, 40, (Repeated(b"a", 2, 40),))


def test_a_removed_file_was_for_nothing() -> None:
    assert of([sized("a", 30), sized("b", 10)], [gone("a")]) == Efficiency(
        10 / 40, 30, (Repeated(b"a", 2, 30),)
    )


def test_a_removed_directory_has_the_size_of_what_was_in_it() -> None:
    base = [sized("d/a", 30), sized("d/e/b", 10), hardlink("d/c", "d/a"), sized("f", 5)]
    assert of(base, [gone("d")], [sized("d", 7)]) == Efficiency(
        (45 + 7) / (45 + 40 + 7), 47, (Repeated(b"d", 2, 47),)
    )


def test_a_whiteout_of_nothing_costs_nothing() -> None:
    assert of([gone("a")]) == Efficiency(1.0, 0, ())


def test_directories_that_hold_something_are_not_counted() -> None:
    assert of([folder("a"), sized("a/b/c", 1)], [folder("a"), sized("a/b/d", 1)]).repeated == ()
    assert of([folder("a")], [folder("a"), file("a/b")]).repeated == ()
    assert of([folder("a")], [folder("a")]).repeated == (Repeated(b"a", 2, 0),)


def test_opaque_markers_are_not_counted() -> None:
    assert of([sized("a/b", 3)], [opaque("a")]) == Efficiency(1.0, 0, ())


def test_the_largest_waste_comes_first() -> None:
    layer = [sized("c", 1), sized("a", 5), sized("b", 1), symlink("l", "a")]
    found = [one.path for one in of(layer, layer).repeated]
    assert found == [b"a", b"b", b"c", b"l"]
    assert of(layer, layer, layer).repeated[0] == Repeated(b"a", 3, 15)


@pytest.mark.parametrize(
    ("above", "wasted"),
    [
        ([file("new")], 0),
        ([sized("a", 1)], 100),
        ([gone("d")], 20),
        ([opaque("d")], 20),
        ([folder("d", 0o700)], 0),
        ([hardlink("e", "a")], 0),
        ([file("h")], 0),
        ([gone("a"), gone("h")], 100),
    ],
)
def test_what_no_name_leads_to_is_wasted(above: list[Member], wasted: int) -> None:
    base = [sized("a", 90), hardlink("h", "a"), sized("d/b", 20), symlink("l", "a")]
    base[0] = sized("a", 100)
    stack = Stack([*base[:1], *base[2:]], above) if above == [sized("a", 1)] else Stack(base, above)
    below, _ = layer_usage(stack.tree)
    assert below == LayerUsage(2, 120, wasted)


def test_a_file_that_its_own_layer_repeats_is_wasted() -> None:
    assert layer_usage(Stack([sized("a", 3), sized("a", 5)]).tree) == [LayerUsage(2, 8, 3)]


def test_layers_are_counted_apart() -> None:
    stack = Stack([sized("a", 3)], [], [sized("a", 5), gone("b")], [sized("a", 5)])
    assert layer_usage(stack.tree) == [
        *(LayerUsage(1, 3, 3), LayerUsage(0, 0, 0)),
        *(LayerUsage(1, 5, 5), LayerUsage(1, 5, 0)),
    ]


def test_what_says_that_something_is_gone_is_no_file() -> None:
    markers = [sized(".wh.f", 8), sized(".wh..wh..opq", 4), sized(".wh..wh.aufs", 3)]
    assert layer_usage(Stack([*markers, sized("g", 2)]).tree) == [LayerUsage(1, 2, 0)]


def test_a_file_in_the_store_of_links_is_one() -> None:
    stored = [sized(".wh..wh.plnk/1.2", 7), hardlink("a", ".wh..wh.plnk/1.2")]
    assert layer_usage(Stack(stored).tree) == [LayerUsage(1, 7, 0)]
