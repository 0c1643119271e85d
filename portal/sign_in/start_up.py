"""What is looked at before a process starts."""

from django.conf import settings

from portal.sign_in.entitlements import rules_of_settings
from portal.sign_in.provider import login_provider


def check_settings() -> None:
    """Read the settings of sign-in, and let forms of the portal end at the login provider.

    A sign-out is a form whose answer leads there. Raises ``ConfigurationError`` naming the setting.
    """
    rules_of_settings()
    provider = login_provider()
    if provider is not None:
        directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
        directives["form-action"] = ["'self'", *provider.origins]
