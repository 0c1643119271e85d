"""Resources and scopes: the operations grouped by tag, one of them in the inspector, scopes by key manager."""

import json
import uuid
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from accounts.pages.forms import LinesField, PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import attempt, own
from common.errors import InputError, RuleError
from keymanager.models import KeyManager, Registration
from keymanager.pages.registration_look import RegistrationLook, look_of
from keymanager.registrations.states import RegistrationKind
from keymanager.services.acceptance import accepted_key_managers
from keymanager.services.resources import registrations_of
from publisher import services
from publisher.definitions import (
    METHODS,
    Definition,
    OperationEdit,
    description_of,
    parse_definition,
    tag_of,
    with_operation,
    without_operation,
)
from publisher.design import impact_of
from publisher.pages.shell import VersionPage
from subscriptions.models import ApiVersion, Operation, Scope
from subscriptions.services.apis import VersionFacts
from subscriptions.states import OperationAuth

PUBLIC, SUBSCRIBER, SCOPED = "public", "subscriber", "scoped"


class OperationForm(PageForm):
    """One operation. ``revision``: of the version that it was read from."""

    revision = forms.IntegerField(widget=forms.HiddenInput)
    summary = forms.CharField(label=gettext_lazy("Summary"), max_length=500, required=False)
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("Markdown."),
    )
    access = forms.ChoiceField(
        label=gettext_lazy("Who may call it"),
        choices=[
            (PUBLIC, gettext_lazy("Anyone: no token needed")),
            (SUBSCRIBER, gettext_lazy("Any subscriber: token and subscription, no scope")),
            (SCOPED, gettext_lazy("Subscribers with one of these scopes")),
        ],
        widget=forms.RadioSelect,
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Scopes"), required=False, widget=forms.CheckboxSelectMultiple
    )
    new_scope = forms.CharField(
        label=gettext_lazy("New scope"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "mono"}),
        help_text=gettext_lazy("As rates:read. It is registered at every accepted key manager."),
    )

    def __init__(self, version: ApiVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keys = list(version.scopes.order_by("key").values_list("key", flat=True))
        if keys:
            cast(forms.MultipleChoiceField, self.fields["scopes"]).choices = [(key, key) for key in keys]
        else:
            del self.fields["scopes"]

    def clean(self) -> dict[str, Any]:
        """Scopes and access must fit each other."""
        data: dict[str, Any] = super().clean() or {}
        keys = [*data.get("scopes", []), *filter(None, [data.get("new_scope")])]
        if data.get("access") == SCOPED and not keys:
            self.add_error("new_scope", _("Choose a scope, or give a new one."))
        if data.get("access") in {PUBLIC, SUBSCRIBER}:
            keys = []
        return {**data, "keys": sorted(set(keys))}

    def edit(self) -> OperationEdit:
        """What was typed."""
        data = self.cleaned_data
        return OperationEdit(
            summary=data["summary"],
            description=data["description"],
            public=data["access"] == PUBLIC,
            scopes=data["keys"],
        )


class NewOperationForm(OperationForm):
    """An operation that is not there yet."""

    field_order = ("method", "path")
    method = forms.ChoiceField(label=gettext_lazy("Method"), choices=[(name, name) for name in METHODS])
    path = forms.CharField(
        label=gettext_lazy("Path"),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "mono"}),
        help_text=gettext_lazy("As /quotes/{quote_id}."),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeRow:
    """One scope of the matrix.

    ``cells``: each key manager with the scope's registration there and its look, ``None`` twice where there is none.
    """

    scope: Scope
    used_by: int
    cells: tuple[tuple[KeyManager, Registration | None, RegistrationLook | None], ...]


class DesignPage(VersionPage):
    """The operations with one of them, at first the first, in the inspector."""

    section = "design"
    heading = gettext_lazy("Resources and scopes")
    lead = gettext_lazy("What the API offers, and what a token must carry to use it.")

    def get(self, request: HttpRequest, pk: uuid.UUID, operation: uuid.UUID | None = None) -> HttpResponse:
        """The form with what is now."""
        version = self.version(pk)
        rows = version.operations.prefetch_related("scopes")
        chosen = rows.first() if operation is None else own(rows, pk=operation)
        if chosen is None:
            return self.page(version, None, None)
        initial = kept_input(request) or present(version, chosen)
        return self.page(version, chosen, OperationForm(version, initial=initial))

    def post(self, request: HttpRequest, pk: uuid.UUID, operation: uuid.UUID | None = None) -> HttpResponse:
        """Save, or show first what saving would change."""
        self.actor.require_role(Role.API_DEVELOPER)
        version = self.version(pk)
        chosen = own(version.operations.prefetch_related("scopes"), pk=operation)
        form = OperationForm(version, request.POST)
        done = self.save(version, form, method=chosen.method, path=chosen.path) if form.is_valid() else None
        if isinstance(done, ApiVersion):
            return self.saved(done, chosen.method, chosen.path)
        return self.page(version, chosen, form, impact=done, status=200 if done else 422)

    def page(
        self,
        version: ApiVersion,
        chosen: Operation | None,
        form: OperationForm | None,
        *,
        impact: Any = None,
        status: int = 200,
    ) -> HttpResponse:
        """The table, the matrix, and ``form`` in the inspector. ``impact``: what saving would change."""
        operations = list(version.operations.prefetch_related("scopes"))
        key_managers, rows = scope_matrix(version, operations)
        asked = self.request.GET.get("q", "").strip().lower()
        context = {
            "groups": _grouped(version, [row for row in operations if not asked or _fits(row, asked)]),
            "operation_count": len(operations),
            "asked": asked,
            "key_managers": key_managers,
            "scope_rows": rows,
            "chosen": chosen,
            "form": form,
            "impact": impact,
            "key_manager_names": ", ".join(row.name for row in accepted_key_managers(version).order_by("name")),
        }
        return self.show_version("publisher/design.html", version, context, status=status)

    def save(self, version: ApiVersion, form: OperationForm, *, method: str, path: str) -> Any:
        """Store the operation of ``form``; ``None`` when ``form`` says why not, its impact when that was asked for."""
        # Parsed before any transaction is open.
        definition = attempt(form, lambda: _edited(version, method, path, form.edit()))
        if definition is None:
            return None
        if "preview" in self.request.POST:
            return impact_of(version, definition)
        return attempt(
            form,
            lambda: services.replace_definition(
                actor=self.actor, api_version=version, definition=definition, revision=form.cleaned_data["revision"]
            ),
        )

    def saved(self, version: ApiVersion, method: str, path: str) -> HttpResponse:
        """Back to the operation, which is another row now."""
        messages.success(self.request, _("Saved. The gateway and the key managers follow."))
        row = version.operations.filter(method=method, path=path).first()
        return redirect("publisher-operation", version.pk, row.pk) if row else redirect("publisher-design", version.pk)


class NewOperationPage(DesignPage):
    """An empty inspector."""

    def get(self, request: HttpRequest, pk: uuid.UUID, operation: uuid.UUID | None = None) -> HttpResponse:
        """The form."""
        version = self.version(pk)
        initial = kept_input(request) or {"revision": version.revision, "access": SUBSCRIBER, "method": "GET"}
        return self.page(version, None, NewOperationForm(version, initial=initial))

    def post(self, request: HttpRequest, pk: uuid.UUID, operation: uuid.UUID | None = None) -> HttpResponse:
        """Add it, or show first what that would change."""
        self.actor.require_role(Role.API_DEVELOPER)
        version = self.version(pk)
        form = NewOperationForm(version, request.POST)
        done = None
        if form.is_valid():
            method, path = form.cleaned_data["method"], form.cleaned_data["path"]
            if version.operations.filter(method=method, path=path).exists():
                form.add_error("path", _("The API has this operation already."))
            else:
                done = self.save(version, form, method=method, path=path)
            if isinstance(done, ApiVersion):
                return self.saved(done, method, path)
        return self.page(version, None, form, impact=done, status=200 if done else 422)


class RemoveOperation(VersionPage):
    """Take one operation away."""

    roles = (Role.API_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID, operation: uuid.UUID) -> HttpResponse:
        """Calls of it are refused from now on."""
        version = self.version(pk)
        row = own(version.operations.all(), pk=operation)
        try:
            document = without_operation(version.definition or {}, method=row.method, path=row.path)
            services.replace_definition(
                actor=self.actor,
                api_version=version,
                definition=parse_definition(json.dumps(document)),
                revision=version.revision,
            )
            messages.success(request, _("%(operation)s is gone; the gateway refuses it now.") % {"operation": row})
        except (InputError, RuleError) as error:
            messages.error(request, error.message)
        return redirect("publisher-design", pk)


class ScopeForm(PageForm):
    """Who gets a scope."""

    roles = LinesField(
        label=gettext_lazy("Roles"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "One a line. A token with a user carries the scope only if the user has one of them; none means every user."
        ),
    )


class ScopePage(VersionPage):
    """The roles of one scope, and where it is registered."""

    section = "design"

    def get(self, request: HttpRequest, pk: uuid.UUID, scope: uuid.UUID) -> HttpResponse:
        """The form."""
        version = self.version(pk)
        row = own(version.scopes.all(), pk=scope)
        return self._page(version, row, ScopeForm(initial=kept_input(request) or {"roles": row.roles}))

    def post(self, request: HttpRequest, pk: uuid.UUID, scope: uuid.UUID) -> HttpResponse:
        """Save; tokens that are issued or judged from now on follow."""
        version = self.version(pk)
        row = own(version.scopes.all(), pk=scope)
        form = ScopeForm(request.POST)
        if form.is_valid():
            bound = {other.key: other.roles for other in version.scopes.all()} | {row.key: form.cleaned_data["roles"]}
            facts = VersionFacts(scope_roles=bound)
            saved = attempt(form, lambda: services.change_api(actor=self.actor, api_version=version, facts=facts))
            if saved is not None:
                messages.success(request, _("Saved."))
                return redirect("publisher-design", pk)
        return self._page(version, row, form, status=422)

    def _page(self, version: ApiVersion, row: Scope, form: ScopeForm, *, status: int = 200) -> HttpResponse:
        registrations = registrations_of(version).filter(kind=RegistrationKind.SCOPE, subject=row.key)
        context = {
            "heading": _("Scope %(key)s") % {"key": row.key},
            "lead": row.description,
            "form": form,
            "looks": [(registration, look_of(registration)) for registration in registrations],
        }
        return self.show_version("publisher/scope.html", version, context, status=status)


def present(version: ApiVersion, row: Operation) -> dict[str, Any]:
    """The form's values for an operation as it is."""
    keys = [scope.key for scope in row.scopes.all()]
    access = PUBLIC if row.auth == OperationAuth.NONE else SCOPED if keys else SUBSCRIBER
    return {
        "revision": version.revision,
        "summary": row.summary,
        "description": description_of(version.definition or {}, method=row.method, path=row.path),
        "access": access,
        "scopes": keys,
    }


def scope_matrix(version: ApiVersion, operations: list[Operation]) -> tuple[list[KeyManager], list[ScopeRow]]:
    """The key managers that scopes are wished for at, and each scope with its look there."""
    found: dict[tuple[str, uuid.UUID], Registration] = {}
    places: dict[uuid.UUID, KeyManager] = {}
    for row in registrations_of(version).filter(kind=RegistrationKind.SCOPE):
        found[row.subject, row.key_manager_id] = row
        places[row.key_manager_id] = row.key_manager
    key_managers = sorted(places.values(), key=lambda place: place.name)
    used = [scope.key for operation in operations for scope in operation.scopes.all()]
    rows = [
        ScopeRow(
            scope=scope,
            used_by=used.count(scope.key),
            cells=tuple((place, *_cell(found.get((scope.key, place.pk)))) for place in key_managers),
        )
        for scope in version.scopes.order_by("key")
    ]
    return key_managers, rows


def _cell(row: Registration | None) -> tuple[Registration | None, RegistrationLook | None]:
    return row, look_of(row) if row else None


def _edited(version: ApiVersion, method: str, path: str, edit: OperationEdit) -> Definition:
    document = with_operation(version.definition or {}, method=method, path=path, edit=edit)
    return parse_definition(json.dumps(document))


def _fits(row: Operation, asked: str) -> bool:
    texts = [row.method, row.path, row.summary, *(scope.key for scope in row.scopes.all())]
    return any(asked in text.lower() for text in texts)


def _grouped(version: ApiVersion, operations: list[Operation]) -> list[tuple[str, list[Operation]]]:
    """Operations under their tags, in the order in which the tags come first."""
    groups: dict[str, list[Operation]] = {}
    for row in operations:
        groups.setdefault(tag_of(version.definition or {}, method=row.method, path=row.path), []).append(row)
    return list(groups.items())
