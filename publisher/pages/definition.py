"""The stored definition: shown, downloaded, replaced after a look at what differs."""

import uuid
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Role
from accounts.pages.forms import PageForm
from accounts.pages.kept_input import LONGEST_DEFINITION, kept_input
from accounts.pages.views import attempt
from common.errors import InputError, NotFound
from publisher import services
from publisher.design import diff_of, document_text, impact_of
from publisher.pages.apis import sources
from publisher.pages.shell import VersionPage
from publisher.pages.sources import HAND, SOURCES, Given, SourceForm, given_by, read_definition
from subscriptions.models import ApiVersion

_SHOWN_LINES: Final = 3000


class DefinitionPage(VersionPage):
    """The document as it is stored."""

    section = "definition"
    heading = gettext_lazy("OpenAPI definition")
    lead = gettext_lazy("What callers read, and what the operations and scopes follow from.")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Its first lines; the file has all."""
        version = self.version(pk)
        lines = document_text(version.definition).splitlines()
        context = {
            "text": "\n".join(lines[:_SHOWN_LINES]),
            "line_count": len(lines),
            "left_out": max(0, len(lines) - _SHOWN_LINES),
        }
        return self.show_version("publisher/definition.html", version, context)


class DefinitionFile(VersionPage):
    """The document as a file."""

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """JSON."""
        version = self.version(pk)
        answer = HttpResponse(document_text(version.definition), content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="openapi-{version.version}.json"'
        return answer


class SaveForm(PageForm):
    """The definition that was previewed, and the revision that it was compared with."""

    source = forms.ChoiceField(choices=[(name, name) for name in SOURCES], widget=forms.HiddenInput)
    definition_text = forms.CharField(strip=False, widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput)


class ReplaceDefinition(VersionPage):
    """Step 1: give another definition. What differs is shown before it is stored."""

    roles = (Role.API_DEVELOPER,)
    longest_kept = LONGEST_DEFINITION
    section = "definition"
    heading = gettext_lazy("Replace the definition")
    lead = gettext_lazy("Nothing is stored before you have seen what differs.")

    def get(self, request: HttpRequest, pk: uuid.UUID, source: str) -> HttpResponse:
        """The form of one source; pasting starts from the stored document."""
        version = self.version(pk)
        initial = kept_input(request) or {"definition": document_text(version.definition)}
        return self._page(version, source, self._form(source)(initial=initial))

    def post(self, request: HttpRequest, pk: uuid.UUID, source: str) -> HttpResponse:
        """Read and compare it; what was typed comes back with its errors."""
        version = self.version(pk)
        form_class = self._form(source)
        if "definition_text" in request.POST:
            # Back from the comparison: the text can be changed.
            text = request.POST["definition_text"]
            return self._page(version, source, form_class(initial={form_class.field: text}))
        form = form_class(request.POST, request.FILES)
        given = given_by(source, form)
        if given is None:
            return self._page(version, source, form, status=422)
        source = source if source == HAND else "text"
        return show_comparison(self, version, Given(source=source, text=given.text, definition=given.definition))

    def _form(self, source: str) -> type[SourceForm]:
        if source not in SOURCES:
            raise NotFound
        return SOURCES[source]

    def _page(self, version: ApiVersion, source: str, form: SourceForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "source": source, "sources": sources()}
        return self.show_version("publisher/definition_replace.html", version, context, status=status)


class SaveDefinition(VersionPage):
    """Step 2: store what was compared."""

    roles = (Role.API_DEVELOPER,)
    longest_kept = LONGEST_DEFINITION
    section = "definition"
    heading = gettext_lazy("Replace the definition")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """What was to be saved before the session ended, else the stored one."""
        version = self.version(pk)
        kept = kept_input(request)
        if not kept or not kept.get("definition_text"):
            return redirect("publisher-definition", pk)
        given = _given(version, str(kept.get("source", "text")), str(kept["definition_text"]))
        return show_comparison(self, version, given) if given else redirect("publisher-definition", pk)

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Operations and scopes follow; key managers are told by jobs."""
        version = self.version(pk)
        form = SaveForm(request.POST)
        given = _given(version, request.POST.get("source", ""), request.POST.get("definition_text", ""))
        if given is None:
            messages.error(request, _("That was no definition; nothing was changed."))
            return redirect("publisher-definition", pk)
        if form.is_valid():
            saved = attempt(
                form,
                lambda: services.replace_definition(
                    actor=self.actor,
                    api_version=version,
                    definition=given.definition,
                    revision=form.cleaned_data["revision"],
                ),
            )
            if saved is not None:
                messages.success(request, _("The definition was replaced. Key managers are told what changed."))
                return redirect("publisher-design", pk)
        return show_comparison(self, self.version(pk), given, form=form, status=422)


def show_comparison(
    page: VersionPage, version: ApiVersion, given: Given, *, form: SaveForm | None = None, status: int = 200
) -> HttpResponse:
    """What differs between the stored definition and ``given``, and the button that stores it."""
    initial: dict[str, Any] = {
        "source": given.source,
        "definition_text": given.text,
        "revision": version.revision,
    }
    context = {
        "form": form or SaveForm(initial=initial),
        "definition": given.definition,
        "source": given.source,
        "impact": impact_of(version, given.definition),
        "diff": diff_of(version.definition, given.definition.document),
    }
    return page.show_version("publisher/definition_compare.html", version, context, status=status)


def _given(version: ApiVersion, source: str, text: str) -> Given | None:
    try:
        definition = read_definition(source, text, title=version.api.name, version=version.version)
    except InputError:
        return None
    return Given(source=source, text=text, definition=definition)
