"""Names of stacks of layers."""

from __future__ import annotations

import hashlib

from nacre.oci.chain import chain_ids
from nacre.oci.digest import Digest

A, B, C = (Digest.of(letter) for letter in (b"a", b"b", b"c"))


def test_chain_ids_by_the_specification() -> None:
    second = Digest("sha256:" + hashlib.sha256(f"{A} {B}".encode()).hexdigest())
    third = Digest("sha256:" + hashlib.sha256(f"{second} {C}".encode()).hexdigest())
    assert chain_ids([A, B, C]) == (A, second, third)
    assert chain_ids([]) == ()


def test_chain_id_vector() -> None:
    # printf '%s %s' sha256:ca97…48bb sha256:3e23…b75d | sha256sum
    assert A == "sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
    assert B == "sha256:3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d"
    assert chain_ids([A, B])[1] == (
        "sha256:51c0c8ace48498d6f5fee6b0592cc06f2da0f3cbe09c5a34a97dce85c3889676"
    )
