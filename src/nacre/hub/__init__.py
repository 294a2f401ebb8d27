"""The hub: a registry that every OCI client can push to and pull from.

``repositories`` says what there is and who may do what with it, ``accounts`` who people are,
``auth`` how a request proves who it is, ``registry`` what pushing and pulling mean, ``jobs`` what
is done in the background. They state their needs as Protocols; ``storage`` meets them with SQL
and a folder. Only ``api`` speaks HTTP. ``configuration`` is what can be set, ``processes`` what
runs. ``app`` puts the parts together.
"""
