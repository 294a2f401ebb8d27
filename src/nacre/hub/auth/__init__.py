"""How a request proves who it is, and what its token lets it do."""
