"""What there is and who may do what with it: namespaces, repositories, roles and policies."""
