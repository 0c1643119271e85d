"""What the gateway would decide about a call, for the answer of ``/introspect``."""
