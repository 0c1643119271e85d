"""HTTP endpoints of the embedded authorization server."""
