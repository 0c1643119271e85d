"""The Django project behind ``tests.servers.django_oauth_toolkit``; it shares nothing with Archway's own."""
