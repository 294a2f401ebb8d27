"""The union of a chain of layers: many tables of contents folded into the one tree they make."""

from nacre.layers.errors import NoSuchPath, TooManyLinks
from nacre.layers.union.application import BadLayer
from nacre.layers.union.fold import union
from nacre.layers.union.history import Change, Event, history
from nacre.layers.union.node import Node
from nacre.layers.union.tree import Tree

__all__ = [
    "BadLayer",
    "Change",
    "Event",
    "NoSuchPath",
    "Node",
    "TooManyLinks",
    "Tree",
    "history",
    "union",
]
