"""A person's applications: list, create, overview, settings."""

import uuid
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role, Team, User
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import PageView, attempt, own, page_of
from keymanager.models import KeyManager, RefusedCall
from store import services
from store.pages.catalogue import first_call_path
from store.queries import applications_with_credentials
from store.rest.filters import ApplicationFilter
from subscriptions.models import Application, Subscription
from subscriptions.queries.counts import subscriptions_counted
from subscriptions.queries.owned import subscriptions_of_teams


class ApplicationsPage(PageView):
    """The list of the person's teams."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Newest first."""
        rows = applications_with_credentials(self.actor.team_ids)
        found = ApplicationFilter(request.GET, queryset=rows).qs
        counted = found.annotate(subscription_count=subscriptions_counted("application"))
        return self.show("store/applications.html", {"page": page_of(request, counted)})


class ApplicationForm(PageForm):
    """Name and description."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    description = forms.CharField(
        label=gettext_lazy("What it does"),
        max_length=512,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("The teams whose APIs you use read this."),
    )


class KeyManagersField(forms.ModelMultipleChoiceField[KeyManager]):
    """Key managers by the name that people know."""

    def label_from_instance(self, obj: KeyManager) -> str:
        """The name, and below it what it is for."""
        return format_html("{} <small>{}</small>", obj.name, obj.description)


class NewApplicationForm(ApplicationForm):
    """A new application, and where it shall have a client at once."""

    team = forms.ModelChoiceField(
        label=gettext_lazy("Team"),
        queryset=Team.objects.none(),
        empty_label=None,
        help_text=gettext_lazy("Every member of the team sees and changes the application."),
    )
    key_managers = KeyManagersField(
        label=gettext_lazy("Register a client at"),
        queryset=KeyManager.objects.none(),
        required=False,
        to_field_name="slug",
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("For production, for machines (client credentials). More can be added later."),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        team.queryset = user.teams.order_by("-personal_of", "name")
        key_managers = cast(KeyManagersField, self.fields["key_managers"])
        key_managers.queryset = KeyManager.objects.filter(enabled=True).order_by("name")


class NewApplicationPage(PageView):
    """Create an application; its registrations start with it."""

    roles = (Role.APP_DEVELOPER,)

    def get(self, request: HttpRequest) -> HttpResponse:
        """The form."""
        enabled = list(KeyManager.objects.filter(enabled=True).values_list("slug", flat=True)[:2])
        initial = kept_input(request) or {"key_managers": enabled if len(enabled) == 1 else []}
        return self._page(NewApplicationForm(cast(User, request.user), initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Save it with its wishes, then show its credentials on their way."""
        form = NewApplicationForm(cast(User, request.user), request.POST)
        if form.is_valid():
            chosen = form.cleaned_data["key_managers"]
            row = attempt(
                form,
                lambda: services.create_application(
                    actor=self.actor,
                    team_id=form.cleaned_data["team"].pk,
                    name=form.cleaned_data["name"],
                    description=form.cleaned_data["description"],
                    wanted=[services.NewCredential(key_manager=key_manager.slug) for key_manager in chosen],
                ),
            )
            if row is not None:
                messages.success(request, _("The application %(name)s was created.") % {"name": row.name})
                return redirect("credentials" if chosen else "application", row.pk)
        return self._page(form, status=422)

    def _page(self, form: NewApplicationForm, *, status: int = 200) -> HttpResponse:
        return self.show("store/application_new.html", {"form": form}, status=status)


class ApplicationPage(PageView):
    """One application at a glance."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The path to the first call, what was refused last, who shares it."""
        application = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        context = {
            **application_head(application, section="overview"),
            "path": first_call_path(application),
            "credentials": [row for row in application.credentials.all() if row.removed_at is None],
            "refusals": RefusedCall.objects.filter(application_id=pk).order_by("-at")[:5],
            "members": application.team.members.order_by("username"),
        }
        return self.show("store/application.html", context)


class ApplicationSettingsPage(PageView):
    """Rename or delete."""

    roles = (Role.APP_DEVELOPER,)

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The form, and what a deletion would break."""
        row = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        initial = kept_input(request) or {"name": row.name, "description": row.description}
        return self._page(row, ApplicationForm(initial=initial))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Save; a new name goes to every client."""
        row = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        form = ApplicationForm(request.POST)
        if form.is_valid():
            changed = attempt(
                form,
                lambda: services.rename_application(
                    actor=self.actor,
                    application=row,
                    name=form.cleaned_data["name"],
                    description=form.cleaned_data["description"],
                ),
            )
            if changed is not None:
                messages.success(request, _("The application was changed."))
                return redirect("application-settings", pk)
        return self._page(row, form, status=422)

    def _page(self, row: Application, form: ApplicationForm, *, status: int = 200) -> HttpResponse:
        context = {
            **application_head(row, section="settings"),
            "form": form,
            "credentials": [credential for credential in row.credentials.all() if credential.removed_at is None],
        }
        return self.show("store/application_settings.html", context, status=status)


class DeleteApplicationPage(PageView):
    """The end of an application: its calls are refused at once, its clients removed one by one."""

    roles = (Role.APP_DEVELOPER,)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Start the removal; the name has to be typed."""
        row = own(applications_with_credentials(self.actor.team_ids), pk=pk)
        if request.POST.get("confirm", "").strip() != row.name:
            messages.error(request, _("Type the application’s name to delete it. Nothing was deleted."))
            return redirect("application-settings", pk)
        removed = services.remove_application(actor=self.actor, application=row)
        if removed.state == "removed":
            messages.success(request, _("The application %(name)s was deleted.") % {"name": row.name})
            return redirect("applications")
        messages.info(request, _("Its calls are refused from now on. It is gone when its last client is."))
        return redirect("credentials", pk)


def application_head(application: Application, *, section: str) -> dict[str, Any]:
    """What the head of each of an application's pages shows. ``section``: the tab that is open."""
    failed = [
        row for row in application.credentials.all() if row.removed_at is None and row.registration.state == "refused"
    ]
    return {
        "application": application,
        "section": section,
        "failed_count": len(failed),
        "subscription_count": Subscription.objects.filter(application=application).count(),
    }


def own_subscriptions(application: Application, team_ids: frozenset[uuid.UUID]) -> Any:
    """The application's subscriptions, newest first."""
    return subscriptions_of_teams(team_ids).filter(application=application)
