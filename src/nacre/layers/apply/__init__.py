"""Applying a layer: a tar stream becomes a tree on disk."""

from nacre.layers.apply.applier import Applied, Applier
from nacre.layers.apply.attributes import Loss
from nacre.layers.apply.building import TreeBuilder
from nacre.layers.apply.errors import BadMember, CannotUnpack, Forbidden

__all__ = ["Applied", "Applier", "BadMember", "CannotUnpack", "Forbidden", "Loss", "TreeBuilder"]
