"""Forms for what an API version is besides its definition: text, endpoints, policies."""

import uuid
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from accounts.pages.forms import LinesField, PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import attempt, attempt_reading
from common.errors import InputError
from publisher import services
from publisher.pages.endpoint_check import check_endpoints
from publisher.pages.shell import VersionPage
from subscriptions.models import ApiVersion
from subscriptions.services.apis import VersionFacts


class FactsForm(PageForm):
    """Some facts of one API version."""

    def __init__(self, version: ApiVersion, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.version = version

    @classmethod
    def present(cls, version: ApiVersion) -> dict[str, Any]:
        """The form's values as they are now."""
        raise NotImplementedError

    def facts(self) -> VersionFacts:
        """What is to be changed. Raises ``InputError`` naming a field."""
        return VersionFacts()

    def key_managers(self) -> str | list[str] | None:
        """The accepted key managers, when they are to be changed."""
        return None


class FactsPage(VersionPage):
    """One of these forms."""

    form: ClassVar[type[FactsForm]]
    template: ClassVar[str] = "publisher/facts.html"

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The form with what is now."""
        version = self.version(pk)
        initial = kept_input(request) or self.form.present(version)
        return self._page(version, self.form(version, initial=initial))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Save; validators and gateways follow within a moment."""
        self.actor.require_role(Role.API_DEVELOPER)
        version = self.version(pk)
        form = self.form(version, request.POST)
        if form.is_valid():
            saved = attempt(
                form,
                lambda: services.change_api(
                    actor=self.actor, api_version=version, facts=form.facts(), key_managers=form.key_managers()
                ),
            )
            if saved is not None:
                messages.success(request, _("Saved."))
                return redirect(request.path)
        return self._page(version, form, status=422)

    def beside(self, version: ApiVersion) -> dict[str, Any]:
        """What the page shows beside the form."""
        return {}

    def _page(self, version: ApiVersion, form: FactsForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, **self.beside(version)}
        return self.show_version(self.template, version, context, status=status)


class DetailsForm(FactsForm):
    """What the store says of the API."""

    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 8})
    )
    tags = LinesField(
        label=gettext_lazy("Tags"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One a line. The store filters by them."),
    )
    public = forms.BooleanField(
        label=gettext_lazy("Everybody finds it in the store"),
        required=False,
        help_text=gettext_lazy("Otherwise only the members of the owning team do."),
    )

    @classmethod
    def present(cls, version: ApiVersion) -> dict[str, Any]:
        """As stored."""
        return {"description": version.description, "tags": version.tags, "public": version.public}

    def facts(self) -> VersionFacts:
        """All three."""
        return VersionFacts(**self.cleaned_data)


class DetailsPage(FactsPage):
    """Description, tags, visibility."""

    section = "details"
    form = DetailsForm
    heading = gettext_lazy("Details")
    lead = gettext_lazy("What the store says of the API, and to whom.")


class EndpointsForm(FactsForm):
    """Where the gateway sends calls."""

    production = forms.CharField(
        label=gettext_lazy("Production endpoint"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "mono", "inputmode": "url"}),
        help_text=gettext_lazy("Calls with a production credential go here. Only the gateway calls it."),
    )
    sandbox = forms.CharField(
        label=gettext_lazy("Sandbox endpoint"),
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"class": "mono", "inputmode": "url"}),
        help_text=gettext_lazy("Calls with a sandbox credential go here."),
    )

    @classmethod
    def present(cls, version: ApiVersion) -> dict[str, Any]:
        """As stored."""
        return {"production": version.production_url, "sandbox": version.sandbox_url}

    def facts(self) -> VersionFacts:
        """Both."""
        return VersionFacts(
            production_url=self.cleaned_data["production"].strip(), sandbox_url=self.cleaned_data["sandbox"].strip()
        )

    def typed(self) -> list[tuple[str, Any, str]]:
        """Field, label and URL of each, as typed."""
        return [(name, field.label, self.cleaned_data[name]) for name, field in self.fields.items()]


class EndpointsPage(FactsPage):
    """Production and sandbox, and whether they could be called."""

    section = "endpoints"
    form = EndpointsForm
    template = "publisher/endpoints.html"
    heading = gettext_lazy("Endpoints")
    lead = gettext_lazy("The backend behind the gateway, for each environment. Without one, publishing is blocked.")

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Save, or check what is typed and save nothing."""
        if "check" not in request.POST:
            return super().post(request, pk)
        version = self.version(pk)
        form = EndpointsForm(version, request.POST)
        # No transaction: it waits for somebody else's server.
        checked = attempt_reading(form, lambda: check_endpoints(form.typed())) if form.is_valid() else None
        context = {"form": form, "checked": checked}
        return self.show_version(self.template, version, context, status=422 if checked is None else 200)


class PoliciesForm(FactsForm):
    """What the backend gets, and for whom a token must be meant."""

    backend_jwt = forms.BooleanField(
        label=gettext_lazy("Send the backend a signed JWT"),
        required=False,
        help_text=gettext_lazy("In X-JWT-Assertion: who calls, with which application and plan."),
    )
    user_claims = LinesField(
        label=gettext_lazy("Claims of the user in it"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text=gettext_lazy("One a line: the name in the JWT, =, the name of the user’s claim, as mail = email."),
    )
    # Not named after the token: such an input would not survive a session that ends.
    forwards = forms.BooleanField(
        label=gettext_lazy("Forward the caller’s token to the backend"),
        required=False,
        help_text=gettext_lazy("Otherwise the gateway takes it away."),
    )
    audiences = LinesField(
        label=gettext_lazy("Audiences"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}),
        help_text=gettext_lazy("One a line. A token that names its audience must name one of these."),
    )

    @classmethod
    def present(cls, version: ApiVersion) -> dict[str, Any]:
        """As stored."""
        return {
            "backend_jwt": version.backend_jwt,
            "user_claims": [f"{name} = {claim}" for name, claim in version.user_claims.items()],
            "forwards": version.forward_token,
            "audiences": version.audiences,
        }

    def facts(self) -> VersionFacts:
        """All of them."""
        claims = {}
        for line in self.cleaned_data["user_claims"]:
            name, equals, claim = line.partition("=")
            if not equals:
                raise InputError.of("user_claims", f"“{line}” has no =.")
            claims[name.strip()] = claim.strip()
        return VersionFacts(
            backend_jwt=self.cleaned_data["backend_jwt"],
            user_claims=claims,
            forward_token=self.cleaned_data["forwards"],
            audiences=self.cleaned_data["audiences"],
        )


class PoliciesPage(FactsPage):
    """Backend JWT, token forwarding, audiences."""

    section = "policies"
    form = PoliciesForm
    heading = gettext_lazy("Policies")
    lead = gettext_lazy("What the gateway adds to a call, takes away, and asks of a token.")
