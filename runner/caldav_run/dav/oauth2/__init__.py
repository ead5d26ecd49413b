"""OAuth2 for a program on a person's machine: log in once, then renew (RFC 6749, RFC 8252)."""
