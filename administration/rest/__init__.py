"""REST API of this part."""
