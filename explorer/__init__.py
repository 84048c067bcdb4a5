"""A notebook explorer for gRPC services behind OAuth2."""
