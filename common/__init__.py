"""Code without Django and without a database: errors, HTTP client, scopes, redaction, secrets."""
