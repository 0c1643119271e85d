"""Settings of django-oauth-toolkit for the resident key manager; pure data."""

from typing import Any, Final

CLIENT_SECRET_HASHER_PATH: Final = "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher"
OAUTH2_PROVIDER: Final[dict[str, Any]] = {}
OAUTH2_PROVIDER_APPLICATION_MODEL: Final = "oauth2_provider.Application"
OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL: Final = "oauth2_provider.AccessToken"
OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL: Final = "oauth2_provider.RefreshToken"
OAUTH2_PROVIDER_GRANT_MODEL: Final = "oauth2_provider.Grant"
OAUTH2_PROVIDER_ID_TOKEN_MODEL: Final = "oauth2_provider.IDToken"
