"""An OAuth 2.0 authorization server with OpenID Connect's ID tokens, on authlib's framework-neutral core."""
