"""Members of a client that only SurfOAuth has."""

from dataclasses import dataclass

from keymanager.adapters.config import knob


@dataclass(frozen=True, slots=True, kw_only=True)
class SurfOAuthClientFields:
    """What an application may say beside RFC 7591, in SurfOAuth's words."""

    skipConsent: bool = knob("No consent page", False)  # noqa: N815 - the server's own word
    includePrincipal: bool = knob("Tell the user's name with an implicit token", False)  # noqa: N815
    expireDuration: int = knob("Tokens live (seconds)", 3600, help="At least 1.")  # noqa: N815
    thumbNailUrl: str = knob("Picture", kind="url")  # noqa: N815

    def check(self) -> dict[str, list[str]]:
        """0 would make tokens that never expire."""
        return {} if self.expireDuration else {"expireDuration": ["At least 1; 0 would make tokens that never expire."]}
