"""REST API of the gateway's state."""
