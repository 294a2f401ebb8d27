"""The registry client: the client side of the OCI distribution specification 1.1.

`client.Client` puts the parts together. A `repository.Repository` is one repository of one
registry, a `registry.Registry` is one host. Below them, `session.Session` sends one request with
everything that surrounds it (authentication, redirects, retries, warnings), and `transport` moves
the bytes; it alone opens connections.
"""
