"""Adapters that an OpenAM breaks, each by one of its surprises."""

from collections.abc import Mapping
from typing import Any

from common.http import HttpClient
from keymanager.adapters.contract import Clock, Introspection
from keymanager.adapters.forgerock import ForgeRockAdapter, ForgeRockConfig
from keymanager.adapters.forgerock.documents import OpenAmShape
from keymanager.adapters.forgerock.registration import DynamicClients

_FLAT = "com.forgerock.openam.oauth2provider."


class _PlainLists(OpenAmShape):
    def changed(self, present: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
        return {self._names[name]: value for name, value in members.items() if name in self._names}


class _NoType(OpenAmShape):
    def changed(self, present: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
        body = super().changed(present, members)
        body.pop(f"{_FLAT}clientType", None)
        return body


class _OneRight(DynamicClients):
    """Keeps what allows registering, as is right anywhere else."""

    _kept: tuple[tuple[str, str], ...] = ()

    def _fresh_right(self) -> tuple[tuple[str, str], ...]:
        self._kept = self._kept or super()._fresh_right()
        return self._kept


class WritesPlainLists(ForgeRockAdapter):
    def __init__(self, config: ForgeRockConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, http, clock)
        self._by_admin._shape = _PlainLists()


class LeavesTheClientTypeOut(ForgeRockAdapter):
    """A client shows "Confidential" without it, too."""

    def __init__(self, config: ForgeRockConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, http, clock)
        self._by_admin._shape = _NoType()


class TakesEverySignedTokenForAnAccessToken(ForgeRockAdapter):
    def introspect(self, token: str) -> Introspection:
        return self._keys.check(token)


class SharesOneRegistrationToken(ForgeRockAdapter):
    def __init__(self, config: ForgeRockConfig, http: HttpClient, clock: Clock) -> None:
        super().__init__(config, http, clock)
        self._managed = _OneRight(config, http, clock, self._discovery)
