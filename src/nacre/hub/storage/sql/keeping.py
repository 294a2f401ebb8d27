"""How long the records keep what nobody needs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from nacre.hub.registry.blobs import GRACE


@dataclass(frozen=True, slots=True)
class Keeping:
    """For how long what may be garbage is kept.

    A manifest is needed while a tag points to it, an index of its repository lists it, or its
    subject is there. When it loses the last of these it is kept for ``undo`` more, in which a
    tag can be brought back, and is then collected. A manifest that was pushed by its digest and
    never had any of them is nobody's mistake, and the specification lets clients do so: it stays
    until somebody deletes it, unless ``untagged`` says otherwise. Pushing a manifest again by
    its digest starts it anew.

    Attributes:
        undo: how long a manifest is kept that lost its last tag, parent and subject.
        grace: how long a link is kept that lost its last manifest.
        trash: how long bytes are kept that no record points to.
        untagged: whether a manifest that never had a tag, parent or subject is collected too,
            ``undo`` after it was pushed.
    """

    undo: timedelta = timedelta(days=30)
    grace: timedelta = GRACE
    trash: timedelta = timedelta(hours=1)
    untagged: bool = False
