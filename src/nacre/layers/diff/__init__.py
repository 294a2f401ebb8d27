"""Diffs: what changed in a tree becomes a layer."""

from nacre.layers.diff.changes import Change, ChangeKind, Unstorable
from nacre.layers.diff.reading import TreeReader, Unreadable
from nacre.layers.diff.trees import tree_changes
from nacre.layers.diff.upper import Lower, LowerTree, UnresolvedOverlay, upper_changes
from nacre.layers.diff.write import write_layer

__all__ = [
    "Change",
    "ChangeKind",
    "Lower",
    "LowerTree",
    "TreeReader",
    "Unreadable",
    "UnresolvedOverlay",
    "Unstorable",
    "tree_changes",
    "upper_changes",
    "write_layer",
]
