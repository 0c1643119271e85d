"""How people sign in: with a password of the portal, at a login provider, or by a directory."""
