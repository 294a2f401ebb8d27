"""The nouns of a hub's records as dicts in memory; see ``nacre.testing.hub_records``.

Everything is worked out anew after each change, which is slow and plainly right.
"""
