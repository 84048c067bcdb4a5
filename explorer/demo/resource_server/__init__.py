"""A gRPC server behind OAuth2: it knows the authorization server's public keys, and nothing else of it."""
