"""Adapters that are wrong on purpose, each in one way that was seen or is easy to do."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace

from common.errors import (
    ArchwayError,
    KeyManagerProtocolError,
    KeyManagerRejected,
    KeyManagerUnavailable,
    OutcomeUnknown,
)
from common.http import HttpRequest
from keymanager.adapters.contract import (
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Inactive,
    Introspection,
    RegisteredClient,
    TokenAnswer,
    TokenRequest,
    Verification,
)
from keymanager.adapters.rfc import RfcAdapter


class RepeatsARegistration(RfcAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().create_client(metadata)
        except OutcomeUnknown:
            return super().create_client(metadata)


class TakesALostAnswerForARemoval(RfcAdapter):
    def delete_client(self, handle: ClientHandle) -> None:
        try:
            super().delete_client(handle)
        except OutcomeUnknown:
            return


class KeepsTheOldRegistrationAccessToken(RfcAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        answer = super().update_client(handle, metadata)
        kept = replace(answer.handle, registration_access_token=handle.registration_access_token)
        return replace(answer, handle=kept)


class KeepsTheOldSecret(RfcAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        answer = super().update_client(handle, metadata)
        return replace(answer, handle=replace(answer.handle, client_secret=handle.client_secret))


class TakesALostTokenForALostClient(RfcAdapter):
    def read_client(self, handle: ClientHandle) -> RegisteredClient | None:
        try:
            return super().read_client(handle)
        except KeyManagerRejected:
            return None


class ClaimsEveryRemoval(RfcAdapter):
    def delete_client(self, handle: ClientHandle) -> None:
        try:
            super().delete_client(handle)
        except KeyManagerRejected:
            return


class FailsOnASecondRemoval(RfcAdapter):
    def delete_client(self, handle: ClientHandle) -> None:
        if self.read_client(handle) is None:
            raise KeyManagerRejected("It is gone already")
        super().delete_client(handle)


class OnlyPretendsToUpdate(RfcAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        return RegisteredClient(handle=handle, observed={"client_name": metadata.client_name})


class ReportsTheAskedScopes(RfcAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        asked = dict(request.parameters).get("scope", "")
        return replace(super().issue_token(request), scopes=frozenset(asked.split()))


class CallsAFailedIntrospectionInactive(RfcAdapter):
    def introspect(self, token: str) -> Introspection:
        try:
            return super().introspect(token)
        except ArchwayError:
            return Inactive(reason="It could not be asked.")


class TrustsAnUnverifiedToken(RfcAdapter):
    def introspect(self, token: str) -> Introspection:
        try:
            payload = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (IndexError, ValueError):
            return super().introspect(token)
        return self._facts.read(claims)


class SendsTheManagementTokenElsewhere(RfcAdapter):
    def delete_client(self, handle: ClientHandle) -> None:
        token = (("Authorization", f"Bearer {handle.registration_access_token}"),)
        self.http.send(HttpRequest(method="GET", url=f"{self.knobs.issuer}/userinfo", headers=token))
        super().delete_client(handle)


class EchoesWhatTheServerOwns(RfcAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        token = (("Authorization", f"Bearer {handle.registration_access_token}"),)
        body = {"client_name": "x", "registration_access_token": handle.registration_access_token}
        self.http.send(HttpRequest(method="PUT", url=handle.registration_client_uri, headers=token, json=body))
        return super().update_client(handle, metadata)


class TakesAPageForAToken(RfcAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        try:
            return super().issue_token(request)
        except KeyManagerProtocolError:
            return TokenAnswer(status=200, body={})


class QuotesTheSecretInAnError(RfcAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().update_client(handle, metadata)
        except KeyManagerRejected as exc:
            raise KeyManagerRejected(f"{exc.message} for {handle.client_id}:{handle.client_secret}") from exc


class ObservesTheSecret(RfcAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        made = super().create_client(metadata)
        return replace(made, observed={**made.observed, "client_secret": made.handle.client_secret})


class AnswersWhatItDoesNotDeclare(RfcAdapter):
    def find_client(self, marker: str) -> RegisteredClient | None:
        return None


class ForgetsHowLongToWait(RfcAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().create_client(metadata)
        except KeyManagerUnavailable as exc:
            raise KeyManagerUnavailable(exc.message) from exc


class IntrospectsAsTheApplication(RfcAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        self.last = request
        return super().issue_token(request)

    def introspect(self, token: str) -> Introspection:
        form = (("token", token), ("client_id", self.last.client_id), ("client_secret", self.last.client_secret))
        self.http.send(HttpRequest(method="POST", url=self.metadata().introspection_endpoint, form=form))
        return super().introspect(token)


class PutsTheTokenIntoTheUrl(RfcAdapter):
    def introspect(self, token: str) -> Introspection:
        self.http.send(HttpRequest(method="GET", url=f"{self.metadata().introspection_endpoint}?token={token}"))
        return super().introspect(token)


class LosesTheServersWords(RfcAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().create_client(metadata)
        except KeyManagerRejected as exc:
            raise KeyManagerRejected("It was refused") from exc


class RaisesFromTheCheck(RfcAdapter):
    def check(self) -> Iterator[CheckStep]:
        self.metadata()
        yield from super().check()


class BelievesEverySecret(RfcAdapter):
    def verify_client(self, handle: ClientHandle) -> Verification:
        return Verification(exists=True, secret_works=True)


class RewordsOAuthErrors(RfcAdapter):
    def issue_token(self, request: TokenRequest) -> TokenAnswer:
        given = super().issue_token(request)
        return given if given.ok else replace(given, body={"error": "invalid_request"})


class ForgetsWhatWasIgnored(RfcAdapter):
    def create_client(self, metadata: ClientMetadata) -> RegisteredClient:
        return replace(super().create_client(metadata), ignored=())


class ActsOnAServerErrorAsDone(RfcAdapter):
    def update_client(self, handle: ClientHandle, metadata: ClientMetadata) -> RegisteredClient:
        try:
            return super().update_client(handle, metadata)
        except OutcomeUnknown:
            return RegisteredClient(handle=handle)
