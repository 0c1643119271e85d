"""Steps of a connection check that make, read, use and remove a throw-away client: all that an application needs."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from common.errors import ArchwayError, KeyManagerProtocolError, KeyManagerRejected, NotSupported, OutcomeUnknown
from keymanager.adapters.contract import (
    Capability,
    CheckStep,
    ClientHandle,
    ClientMetadata,
    Inactive,
    KeyManagerAdapter,
    StepState,
    TokenRequest,
    TrialNote,
)
from keymanager.adapters.own_token import STEP
from keymanager.adapters.rfc.answers import text_of
from keymanager.adapters.rfc.check import timed

C = Capability
NAME: Final = "Archway connection check"
MAKE: Final = "make a client"
REMOVE: Final = "remove the client"
# Errors of a token request (RFC 6749 5.2, RFC 8707) that say nothing against the client itself.
_ABOUT_WHAT_WAS_ASKED: Final = frozenset({"invalid_scope", "invalid_target", "invalid_request"})


class TrialClient:
    """One throw-away client. Whatever happens, it is removed if it was made, or the last step says what is left.

    ``scope``: what its token is asked for, where any client may have that. Without one many a server gives no token,
    which says nothing against the client, unless ``unscoped``: this server must. ``change``: it is changed, too, and
    ``rotation``: its secret is replaced. ``overlap_hint``: what two secrets at once need there.
    """

    def __init__(
        self,
        adapter: KeyManagerAdapter,
        *,
        scope: str = "",
        unscoped: bool = False,
        change: bool = False,
        rotation: bool = False,
        overlap_hint: str = "",
    ) -> None:
        self._adapter = adapter
        self._scope = scope
        self._must_issue = unscoped or bool(scope)
        self._change_too = change
        self._rotation = rotation
        self._overlap_hint = overlap_hint
        self._metadata = ClientMetadata(
            client_name=NAME, marker=f"check-{uuid.uuid4()}", scopes=frozenset(scope.split())
        )
        self._handle: ClientHandle | None = None
        self._lost = False
        self._secret_works = False
        self._token = ""

    def steps(self) -> Iterator[CheckStep]:
        """One after the other; what builds on a failed one is skipped, the removal never is."""
        why_not = self._why_not()
        if why_not:
            yield CheckStep(name=MAKE, state=StepState.SKIPPED, reason=why_not)
            return
        # On record before anything is sent: should this process die, the next check knows what to look for.
        yield CheckStep(
            name="throw-away client",
            state=StepState.PASSED,
            reason=f"It will be called {NAME!r}.",
            trial=TrialNote(marker=self._metadata.marker),
        )
        try:
            yield from self._uses()
        except BaseException:
            self._give_up()
            raise
        yield self._last()

    def _why_not(self) -> str:
        """Why no client is made, or ""."""
        held = self._adapter.capabilities
        if C.CREATE_CLIENT not in held:
            return f"{self._adapter.label}: clients are made by hand, so none is made here."
        if C.DELETE_CLIENT not in held:
            return "Clients cannot be removed there, so none is made."
        offered = getattr(getattr(self._adapter, "knobs", self._adapter.config), "grant_types", ("client_credentials",))
        if "client_credentials" not in offered:
            return "A throw-away client needs the grant client_credentials, which is not on offer."
        return ""

    def _uses(self) -> Iterator[CheckStep]:
        made = timed(MAKE, self._make)
        yield self._noted(made)
        later: tuple[tuple[str, Callable[[ClientHandle], str]], ...] = (
            ("read the client", self._read),
            ("use the client's secret", self._use),
            ("get a token", self._ask),
            (STEP, self._look_up),
            *((("change the client", self._change),) if self._change_too else ()),
            *((("replace the secret", self._rotate),) if self._rotation else ()),
        )
        failed = "No client was made." if made.state is StepState.FAILED else ""
        for name, step in later:
            handle = self._handle
            if failed or handle is None:
                yield CheckStep(name=name, state=StepState.SKIPPED, reason=failed or "No client was made.")
                continue
            done = timed(name, partial(step, handle))
            yield self._noted(done)
            failed = "An earlier step failed." if done.state is StepState.FAILED else ""

    def _noted(self, step: CheckStep) -> CheckStep:
        note = TrialNote(marker=self._metadata.marker, handle=self._handle)
        return CheckStep(
            name=step.name, state=step.state, reason=step.reason, milliseconds=step.milliseconds, trial=note
        )

    def _make(self) -> str:
        try:
            self._handle = self._adapter.create_client(self._metadata).handle
        except ArchwayError as exc:
            # A refusal may come after the first of several calls; looking is cheap where one can look.
            half_made = isinstance(exc, KeyManagerRejected) and C.FIND_CLIENT in self._adapter.capabilities
            self._lost = half_made or isinstance(exc, OutcomeUnknown | KeyManagerProtocolError)
            raise
        return f"Client {self._handle.client_id}"

    def _read(self, handle: ClientHandle) -> str:
        if self._adapter.read_client(handle) is None:
            raise KeyManagerProtocolError("The client that was just made is not there.")
        return ""

    def _use(self, handle: ClientHandle) -> str:
        works = self._adapter.verify_client(handle).secret_works
        if works is False:
            raise KeyManagerProtocolError("The secret of the client that was just made is refused (perhaps: not yet).")
        self._secret_works = works is True
        return "" if works else "That can only be seen where it is used."

    def _ask(self, handle: ClientHandle) -> str:
        given = self._adapter.issue_token(self._request(handle))
        if not given.ok:
            error = text_of(given.body, "error")
            words = text_of(given.body, "error_description") or error
            if not self._must_issue and (self._secret_works or error in _ABOUT_WHAT_WAS_ASKED):
                raise NotSupported(f"It gives no token without a scope or an API of ours: {words}")
            raise KeyManagerRejected(f"It gave no token (HTTP {given.status}): {words}", remote_status=given.status)
        if self._scope and given.scopes != self._metadata.scopes:
            raise KeyManagerProtocolError("It did not grant the scope that the client has.")
        self._token = str(given.body["access_token"])
        return "" if given.expires_in is None else f"It lives {given.expires_in} seconds."

    def _look_up(self, handle: ClientHandle) -> str:
        if not self._token:
            raise NotSupported("There is no token to look up.")
        answer = self._adapter.introspect(self._token)
        if isinstance(answer, Inactive):
            words = f"It calls its own fresh token bad: {answer.reason} {self._adapter.introspection_hint}"
            raise KeyManagerProtocolError(words.strip())
        if answer.token_use != "access":
            raise KeyManagerProtocolError(f"It calls its own fresh access token a token for {answer.token_use}.")
        if answer.client_id != handle.client_id:
            raise KeyManagerProtocolError(
                f"Of the client's own token it says the client {answer.client_id or '(none)'}: no call could be "
                "matched with its application. Look at the claims that name the client."
            )
        if not self._metadata.scopes <= answer.scopes:
            raise KeyManagerProtocolError("It does not say which scopes its own fresh token has.")
        return "It is active, and the client's."

    def _change(self, handle: ClientHandle) -> str:
        self._adapter.require(C.UPDATE_CLIENT)
        self._handle = self._adapter.update_client(handle, self._metadata).handle
        return ""

    def _rotate(self, handle: ClientHandle) -> str:
        self._adapter.require(C.ROTATE_SECRET)
        self._handle = fresh = self._adapter.rotate_secret(handle, self._metadata).handle
        if not self._token:
            return "Whether it works can only be seen where a token is given."
        if not self._gets_token(fresh):
            raise KeyManagerProtocolError("The new secret does not work.")
        if C.OVERLAPPING_SECRETS not in self._adapter.capabilities:
            return "The old secret ended at once."
        if not self._gets_token(handle):
            raise KeyManagerProtocolError(
                f"The old secret does not work beside the new one. {self._overlap_hint}".strip()
            )
        self._adapter.drop_old_secret(fresh)
        if self._gets_token(handle):
            raise KeyManagerProtocolError("The old secret still works after it was dropped.")
        return "Both secrets worked until the old one was dropped."

    def _gets_token(self, handle: ClientHandle) -> bool:
        return self._adapter.issue_token(self._request(handle)).ok

    def _request(self, handle: ClientHandle) -> TokenRequest:
        scope = (("scope", self._scope),) if self._scope else ()
        return TokenRequest(
            client_id=handle.client_id,
            client_secret=handle.client_secret,
            parameters=(("grant_type", "client_credentials"), *scope),
        )

    def _last(self) -> CheckStep:
        note = TrialNote(marker=self._metadata.marker, handle=self._handle)
        if self._handle is None and not self._lost:
            done = CheckStep(name=REMOVE, state=StepState.SKIPPED, reason="No client was made.")
        else:
            done = timed(REMOVE, lambda: remove_trial(self._adapter, note))
        gone = done.state is not StepState.FAILED
        return CheckStep(
            name=done.name,
            state=done.state,
            reason=done.reason,
            milliseconds=done.milliseconds,
            trial=TrialNote(marker=note.marker, handle=note.handle, gone=gone),
        )

    def _give_up(self) -> None:
        """Whoever reads the steps has stopped: nobody is left to be told, so only the client matters."""
        try:
            remove_trial(self._adapter, TrialNote(marker=self._metadata.marker, handle=self._handle))
        except ArchwayError:
            return


def remove_trial(adapter: KeyManagerAdapter, note: TrialNote) -> str:
    """Remove the throw-away client of a note; returns what there is to say. Raises when one may be left."""
    handle = note.handle
    if handle is None:
        if C.FIND_CLIENT not in adapter.capabilities:
            raise KeyManagerRejected(
                f"It is not known whether a client was made, and there is no way to search. Look for a client named "
                f"{NAME!r} there, and remove it."
            )
        try:
            found = adapter.find_client(note.marker)
        except ArchwayError as exc:
            raise KeyManagerRejected(f"It is not known whether a client was made: {exc.message}") from exc
        if found is None:
            return "There is none."
        handle = found.handle
    adapter.delete_client(handle)
    if C.READ_CLIENT in adapter.capabilities and adapter.read_client(handle) is not None:
        raise KeyManagerProtocolError(f"The client {handle.client_id} is still there.")
    return ""
