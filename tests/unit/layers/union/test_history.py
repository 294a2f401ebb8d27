from __future__ import annotations

import pytest

from nacre.layers.union import BadLayer, Change, history
from tests.unit.layers.stacks import (
    Member,
    file,
    folder,
    gone,
    hardlink,
    opaque,
    symlink,
    table,
    tar_of,
)


def events(path: str, *layers: list[Member]) -> list[tuple[int, str]]:
    tocs = [table(tar_of(layer)) for layer in layers]
    return [(event.layer, event.change.value) for event in history(tocs, path.encode())]


def test_a_file_is_added_changed_removed_and_added_again() -> None:
    layers = [[file("b")], [file("a")], [file("b")], [file("a", b"new")], [gone("a")], [file("a")]]
    assert events("a", *layers) == [(1, "A"), (3, "C"), (4, "D"), (5, "A")]
    assert events("/a", *layers) == events("a", *layers)


def test_what_never_was_has_no_history() -> None:
    assert events("a", [file("b")], [gone("a")]) == []
    assert events("a") == []


def test_a_file_goes_with_its_directory() -> None:
    base = [file("d/a")]
    assert events("d/a", base, [gone("d")]) == [(0, "A"), (1, "D")]
    assert events("d/a", base, [opaque("d")]) == [(0, "A"), (1, "D")]
    assert events("d/a", base, [file("d")]) == [(0, "A"), (1, "D")]


def test_a_removed_and_new_file_of_one_layer_is_a_change() -> None:
    assert events("a", [file("a")], [gone("a"), file("a")]) == [(0, "A"), (1, "C")]


def test_a_repeated_layer_changes_again() -> None:
    assert events("a", [file("a")], [file("a")]) == [(0, "A"), (1, "C")]


def test_a_directory_changes_with_its_attributes_not_its_content() -> None:
    layers = [[folder("d")], [file("d/a")], [folder("d", 0o700)]]
    assert events("d", *layers) == [(0, "A"), (2, "C")]
    assert events("", [folder("./")], [file("a")], [folder("./")]) == [(0, "A"), (2, "C")]


def test_an_implied_directory_is_added_by_what_implies_it() -> None:
    assert events("d", [], [file("d/a")], [folder("d")]) == [(1, "A"), (2, "C")]


def test_a_path_behind_a_symlink_has_the_history_of_what_it_leads_to() -> None:
    layers = [
        [file("one/a"), file("two/a"), symlink("l", "one")],
        [file("one/a")],
        [symlink("l", "two")],
        [file("l/a")],
    ]
    assert events("l/a", *layers) == [(0, "A"), (1, "C"), (2, "C"), (3, "C")]
    assert events("l", *layers) == [(0, "A"), (2, "C")]


def test_a_symlink_does_not_change_with_its_target() -> None:
    assert events("l", [file("a"), symlink("l", "a")], [file("a")]) == [(0, "A")]


def test_a_hard_link_is_added_where_its_name_is() -> None:
    layers = [[file("a", b"x")], [hardlink("b", "a")], [file("a")]]
    assert events("b", *layers) == [(1, "A")]


def test_events_keep_what_was_there_then() -> None:
    layers = [[folder("d", 0o700)], [folder("d", 0o755)], [gone("d")]]
    found = history([table(tar_of(layer)) for layer in layers], b"d")
    assert [event.entry and event.entry.mode for event in found] == [0o700, 0o755, None]
    assert [event.change for event in found] == list(Change)


def test_a_bad_layer_is_told() -> None:
    with pytest.raises(BadLayer):
        events("a", [hardlink("a", "b")])
