"""Trying an operation from its page: the browser calls the gateway itself, the portal only lends it a token."""

import re
import uuid
from typing import Any, Final

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse

from accounts.actor import Actor
from accounts.models import Role
from accounts.pages.views import PageView, own
from common.errors import ArchwayError, NotFound
from keymanager.models import Credential
from keymanager.services.callers import credentials_that_can_call
from keymanager.validation.explain import explain_call
from store import services
from store.pages.refusals import in_words, verdict_context
from store.queries import credentials_of_teams
from store.reference.model import OperationReference, Parameter, SchemaRow
from subscriptions.models import ApiVersion, Operation
from subscriptions.queries.catalogue import store_versions
from subscriptions.queries.owned import applications_of_teams
from subscriptions.states import ApiState, OperationAuth

# A browser sets these itself, or the definition must not describe them (OpenAPI 3.1, parameter object).
_NOT_TYPED: Final = frozenset({"authorization", "accept", "content-type", "content-length", "cookie", "host"})
_IN_PATH: Final = re.compile(r"\{([^{}]+)\}")
_ANY_REFERENCE: Final = "REFERENCE"


def try_panel(version: ApiVersion, row: Operation, reference: OperationReference, actor: Actor) -> dict[str, Any]:
    """What the panel of one operation shows. Asks no key manager."""
    needs_token = row.auth != OperationAuth.NONE
    callers = credentials_that_can_call(version, actor.team_ids) if needs_token and actor.team_ids else []
    return {
        "inputs": _inputs(reference),
        "callers": callers,
        "obstacle": _obstacle(version, actor, callers, needs_token=needs_token),
        "checks_url": reverse("try-checks", args=[version.pk, row.pk]),
        "token_url": reverse("try-token", args=[version.pk, row.pk]),
        "verdict_url": reverse("explain-piece", args=[_ANY_REFERENCE]),
    }


def _inputs(reference: OperationReference) -> list[Parameter]:
    """The parameters that a page can send, and those of the path that the definition forgot."""
    typed = [item for item in reference.parameters if item.where != "cookie" and item.name.lower() not in _NOT_TYPED]
    described = {item.name for item in reference.parameters_in("path")}
    forgotten = [
        Parameter(name=name, where="path", row=SchemaRow(name=name, type="string", required=True))
        for name in _IN_PATH.findall(reference.path)
        if name not in described
    ]
    return [*forgotten, *typed]


def _obstacle(version: ApiVersion, actor: Actor, callers: list[Credential], *, needs_token: bool) -> str:
    """Why nothing can be sent: "blocked", "sign_in", "role", "subscribe", "client", or "" for no reason."""
    if version.state == ApiState.BLOCKED:
        return "blocked"
    if not needs_token:
        return ""
    if actor.user_id is None:
        return "sign_in"
    if Role.APP_DEVELOPER not in actor.roles and not actor.is_administrator:
        return "role"
    if callers:
        return ""
    subscribed = version.subscriptions.filter(application__team__in=actor.team_ids).exists()
    return "client" if subscribed else "subscribe"


class TryTokenForm(forms.Form):
    """Whose token."""

    credential = forms.UUIDField()


class TryToken(PageView):
    """A token for one operation, or for the console of a whole API: handed to the page, stored nowhere."""

    roles = (Role.APP_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID, operation: uuid.UUID | None = None) -> HttpResponse:
        """The token with no more scopes than are asked for there, as JSON; a refusal has a ``message``."""
        version = own(store_versions(self.actor.team_ids), pk=pk)
        holder = version if operation is None else own(version.operations.all(), pk=operation)
        form = TryTokenForm(request.POST)
        if not form.is_valid():
            return _answer({"message": "credential is not the id of one."}, status=422)
        mine = credentials_of_teams(self.actor.team_ids).filter(removed_at=None)
        credential = own(mine, pk=form.cleaned_data["credential"])
        scopes = sorted(holder.scopes.values_list("key", flat=True))
        try:
            issued = services.issue_token(actor=self.actor, credential=credential, scopes=scopes)
        except ArchwayError as error:
            return _answer({"message": error.message}, status=error.status)
        return _answer(
            {"access_token": issued.access_token, "expires_in": issued.expires_in, "scope": issued.scope}, status=200
        )


class CallForm(forms.Form):
    """A call that the page has just made: what follows the API version's address, and the token it carried."""

    path = forms.CharField(max_length=2000)
    token = forms.CharField(required=False)


class CallChecks(PageView):
    """What the gateway checks for a call that it let through; of those only refusals are on record."""

    roles = (Role.APP_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID, operation: uuid.UUID) -> HttpResponse:
        """Judged again by the same steps. Raises ``NotFound`` for a token of an application that is not one's own."""
        version = own(store_versions(self.actor.team_ids), pk=pk)
        row = own(version.operations.all(), pk=operation)
        form = CallForm(request.POST)
        if not form.is_valid():
            return _answer({"message": "path is what was called."}, status=422)
        token = form.cleaned_data["token"]
        judged = explain_call(
            token=token,
            context=version.api.context,
            version=version.version,
            method=row.method,
            path=form.cleaned_data["path"].partition("?")[0],
        )
        if judged.api_version_id != str(version.pk) or (token and not self._is_own(judged.application_id)):
            raise NotFound
        answer = self.show("store/verdict.html", {"steps": in_words(judged.entries), "judged_again": True})
        answer["Cache-Control"] = "no-store"
        return answer

    def _is_own(self, application_id: str) -> bool:
        return bool(application_id) and applications_of_teams(self.actor.team_ids).filter(pk=application_id).exists()


def _answer(body: dict[str, Any], *, status: int) -> JsonResponse:
    answer = JsonResponse(body, status=status)
    answer["Cache-Control"] = "no-store"
    return answer


class VerdictPiece(PageView):
    """The verdict alone, for a page that has just been refused."""

    def get(self, request: HttpRequest, reference: str) -> HttpResponse:
        """Raises ``NotFound`` also while it is not written yet, a moment after the answer."""
        context = verdict_context(reference, self.actor)
        if context is None:
            raise NotFound
        answer = self.show("store/verdict.html", context)
        answer["Cache-Control"] = "no-store"
        return answer
