"""Stacks of layers as values."""

from __future__ import annotations

from nacre.oci.chain import chain_ids
from nacre.oci.digest import Digest
from nacre.storage.chain import Chain

A, B = (Digest.of(letter) for letter in (b"a", b"b"))


def test_a_chain_has_the_id_of_its_topmost_layer() -> None:
    assert Chain.of([A]).id == A
    assert Chain.of([A, B]).id == chain_ids([A, B])[-1]


def test_no_layers_are_a_chain_too() -> None:
    assert Chain(()).id == Digest.of(b"")
    assert Chain.of([A]).below == Chain(())


def test_a_layer_may_be_repeated() -> None:
    assert Chain.of([A, B, A]).id != Chain.of([B, A]).id
    assert Chain.of([A, B, A]).below == Chain.of([A, B])
