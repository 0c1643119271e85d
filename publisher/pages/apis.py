"""The list of own APIs, and creating one: a definition first, its preview with findings, then the rest."""

import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role, Team, User
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import LONGEST_DEFINITION, kept_input
from accounts.pages.views import PageView, attempt, page_of
from common.errors import InputError, NotFound
from keymanager.models import KeyManager
from publisher import services
from publisher.definitions import Definition
from publisher.pages.access import KeyManagersField, PlansField
from publisher.pages.registrations import summary_of
from publisher.pages.shell import PUBLISHING, STATE_WORDS
from publisher.pages.sources import HAND, SOURCES, Given, SourceForm, given_by, read_definition
from publisher.queries import registrations_by_version, versions_with_subscribers
from publisher.rest.filters import ApiFilter
from subscriptions.models import ApiVersion, Plan
from subscriptions.services.apis import VersionFacts
from subscriptions.states import ApiState


class ApisPage(PageView):
    """API versions of the person's teams, newest first."""

    roles = PUBLISHING

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list."""
        rows = versions_with_subscribers(self.actor.team_ids)
        page = page_of(request, ApiFilter(request.GET, queryset=rows).qs)
        registrations = registrations_by_version(page.object_list)
        context = {
            "page": page,
            "rows": [(row, *STATE_WORDS[ApiState(row.state)], summary_of(registrations[row.pk])) for row in page],
            "states": [(state.value, STATE_WORDS[state][1]) for state in ApiState],
            "filtered": any(request.GET.get(name) for name in ("q", "state", "tag")),
            "sources": sources(),
            "may_create": Role.API_DEVELOPER in self.actor.roles or self.actor.is_administrator,
        }
        return self.show("publisher/apis.html", context)


def sources() -> list[tuple[str, Any]]:
    """The ways to give a definition, with their labels."""
    return [(name, form.label) for name, form in SOURCES.items()]


class NewApiForm(PageForm):
    """What an API is besides its definition, which the form carries along."""

    source = forms.ChoiceField(choices=[(name, name) for name in SOURCES], widget=forms.HiddenInput)
    definition_text = forms.CharField(strip=False, widget=forms.HiddenInput)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    version = forms.CharField(label=gettext_lazy("Version"), max_length=30)
    context = forms.CharField(
        label=gettext_lazy("Context"),
        max_length=232,
        help_text=gettext_lazy("First part of its path at the gateway, as /museum. The version follows it."),
    )
    team = forms.ModelChoiceField(
        label=gettext_lazy("Team"),
        queryset=Team.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("Every member of the team sees and changes the API."),
    )
    production = forms.CharField(
        label=gettext_lazy("Production endpoint"),
        required=False,
        max_length=500,
        help_text=gettext_lazy("The URL that the gateway calls. It can be given later."),
    )
    sandbox = forms.CharField(label=gettext_lazy("Sandbox endpoint"), required=False, max_length=500)
    plans = PlansField(label=gettext_lazy("Plans"), required=False)
    key_managers = KeyManagersField(
        label=gettext_lazy("Key managers whose tokens it accepts"),
        required=False,
        help_text=gettext_lazy("None chosen means all, those that come later too."),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        team.queryset = user.teams.order_by("-personal_of", "name")
        plans = cast("forms.ModelMultipleChoiceField[Plan]", self.fields["plans"])
        plans.queryset = Plan.objects.order_by("created_at", "slug")
        key_managers = cast("forms.ModelMultipleChoiceField[KeyManager]", self.fields["key_managers"])
        key_managers.queryset = KeyManager.objects.filter(enabled=True).order_by("name")


class NewApiPage(PageView):
    """Step 1: give the definition. Step 2 is shown when it could be read."""

    roles = (Role.API_DEVELOPER,)
    longest_kept = LONGEST_DEFINITION

    def get(self, request: HttpRequest, source: str = "text") -> HttpResponse:
        """The form of one source."""
        form = self._form(source)(initial=kept_input(request))
        return self._page(source, form)

    def post(self, request: HttpRequest, source: str = "text") -> HttpResponse:
        """Read it; what was typed comes back with its errors."""
        form_class = self._form(source)
        if "definition_text" in request.POST:
            # Back from step 2: the text can be changed.
            return self._page(source, form_class(initial={form_class.field: request.POST["definition_text"]}))
        form = form_class(request.POST, request.FILES)
        given = given_by(source, form)
        if given is None:
            return self._page(source, form, status=422)
        # What a file or a URL gave is text from here on.
        source = source if source == HAND else "text"
        return show_step_two(self, Given(source=source, text=given.text, definition=given.definition))

    def _form(self, source: str) -> type[SourceForm]:
        if source not in SOURCES:
            raise NotFound
        return SOURCES[source]

    def _page(self, source: str, form: SourceForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "source": source, "sources": sources()}
        return self.show("publisher/api_new.html", context, status=status)


class CreateApiPage(PageView):
    """Step 2: check what was found, and create the API."""

    roles = (Role.API_DEVELOPER,)
    longest_kept = LONGEST_DEFINITION

    def get(self, request: HttpRequest) -> HttpResponse:
        """What was typed before the session ended, else back to step 1."""
        kept = kept_input(request)
        if not kept or not kept.get("definition_text"):
            return redirect("publisher-new")
        source, text = str(kept.get("source", "text")), str(kept["definition_text"])
        try:
            given = Given(source=source, text=text, definition=read_definition(source, text))
        except InputError:
            return redirect("publisher-new")
        return show_step_two(self, given, form=NewApiForm(cast(User, request.user), initial=kept))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Create it; registration at key managers starts at once."""
        form = NewApiForm(cast(User, request.user), request.POST)
        source, text = request.POST.get("source", "text"), request.POST.get("definition_text", "")
        try:
            names = {"title": request.POST.get("name") or "API", "version": request.POST.get("version") or "1.0.0"}
            given = Given(source=source, text=text, definition=read_definition(source, text, **names))
        except InputError as error:
            messages.error(request, error.message)
            return redirect("publisher-new")
        if form.is_valid():
            row = attempt(form, lambda: self._create(form.cleaned_data, given.definition))
            if row is not None:
                words = _("%(name)s %(version)s was created. It is registered at its key managers now.")
                messages.success(request, words % {"name": row.api.name, "version": row.version})
                return redirect("publisher-api", row.pk)
        return show_step_two(self, given, form=form, status=422)

    def _create(self, data: dict[str, Any], definition: Definition) -> ApiVersion:
        slugs = [key_manager.slug for key_manager in data["key_managers"]]
        new = services.NewApi(
            name=data["name"],
            version=data["version"],
            context=data["context"],
            definition=definition,
            facts=VersionFacts(
                description=definition.description,
                tags=definition.tags,
                production_url=data["production"],
                sandbox_url=data["sandbox"],
                plans=list(data["plans"]),
            ),
            key_managers=slugs or "all",
        )
        return services.create_api(actor=self.actor, team_id=cast(uuid.UUID, data["team"].pk), new=new)


def show_step_two(page: PageView, given: Given, *, form: NewApiForm | None = None, status: int = 200) -> HttpResponse:
    """Operations, scopes and findings of what was given, and the form for the rest."""
    definition = given.definition
    typed = given.source == HAND
    initial = {
        "source": given.source,
        "definition_text": given.text,
        "name": "" if typed else definition.title[:60],
        "version": "1.0.0" if typed else definition.api_version[:30],
        "plans": list(Plan.objects.order_by("created_at", "slug")[:1]),
    }
    shown = form or NewApiForm(cast(User, page.request.user), initial=initial)
    context = {"form": shown, "definition": definition, "source": given.source}
    return page.show("publisher/api_create.html", context, status=status)
