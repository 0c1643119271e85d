"""Reads on the subscription database, with what the caller may see built in."""
