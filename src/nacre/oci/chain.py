"""Chain IDs: the names of stacks of layers (image-spec, config, "Layer ChainID")."""

from __future__ import annotations

from collections.abc import Iterable

from nacre.oci.digest import Digest


def chain_ids(diff_ids: Iterable[Digest]) -> tuple[Digest, ...]:
    """Return the chain ID at each layer: the name of the stack up to there."""
    chain: list[Digest] = []
    for diff_id in diff_ids:
        chain.append(Digest.of(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return tuple(chain)
