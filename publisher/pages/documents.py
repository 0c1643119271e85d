"""The guides of one API version, in Markdown."""

import uuid

from django import forms
from django.contrib import messages
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.pages.forms import PageForm
from accounts.pages.kept_input import kept_input
from accounts.pages.views import attempt, own
from publisher.pages.shell import VersionPage
from subscriptions.models import ApiDocument, ApiVersion
from subscriptions.services import documents


class DocumentForm(PageForm):
    """One guide."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=100)
    text = forms.CharField(
        label=gettext_lazy("Text"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "class": "mono"}),
        help_text=gettext_lazy("Markdown. HTML in it is shown as text."),
    )
    position = forms.IntegerField(
        label=gettext_lazy("Position"), min_value=1, max_value=1000, help_text=gettext_lazy("The lowest comes first.")
    )
    visible = forms.BooleanField(label=gettext_lazy("The store shows it"), required=False)


class DocumentsPage(VersionPage):
    """The list."""

    section = "documents"
    heading = gettext_lazy("Documents")
    lead = gettext_lazy("Guides in Markdown. The store shows them beside the reference.")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """By position."""
        version = self.version(pk)
        return self.show_version("publisher/documents.html", version, {"documents": version.documents.defer("text")})


class NewDocumentPage(VersionPage):
    """Write one."""

    section = "documents"
    heading = gettext_lazy("New document")

    def get(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The form."""
        version = self.version(pk)
        last = version.documents.aggregate(last=Max("position"))["last"] or 0
        initial = kept_input(request) or {"position": last + 1, "visible": True}
        return self._page(version, DocumentForm(initial=initial))

    def post(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Save it."""
        version = self.version(pk)
        form = DocumentForm(request.POST)
        if form.is_valid():
            row = attempt(
                form, lambda: documents.create_document(actor=self.actor, api_version=version, **form.cleaned_data)
            )
            if row is not None:
                messages.success(request, _("The document %(title)s was added.") % {"title": row.title})
                return redirect("publisher-documents", pk)
        return self._page(version, form, status=422)

    def _page(self, version: ApiVersion, form: DocumentForm, *, status: int = 200) -> HttpResponse:
        return self.show_version("publisher/document.html", version, {"form": form}, status=status)


class DocumentPage(VersionPage):
    """Change one."""

    section = "documents"

    def get(self, request: HttpRequest, pk: uuid.UUID, document: uuid.UUID) -> HttpResponse:
        """The form with what is now, and how the store shows it."""
        version = self.version(pk)
        row = own(version.documents.all(), pk=document)
        now = {"title": row.title, "text": row.text, "position": row.position, "visible": row.visible}
        return self._page(version, row, DocumentForm(initial=kept_input(request) or now))

    def post(self, request: HttpRequest, pk: uuid.UUID, document: uuid.UUID) -> HttpResponse:
        """Save it."""
        version = self.version(pk)
        row = own(version.documents.all(), pk=document)
        form = DocumentForm(request.POST)
        if form.is_valid():
            saved = attempt(
                form, lambda: documents.change_document(actor=self.actor, document=row, **form.cleaned_data)
            )
            if saved is not None:
                messages.success(request, _("Saved."))
                return redirect("publisher-document", pk, document)
        return self._page(version, row, form, status=422)

    def _page(self, version: ApiVersion, row: ApiDocument, form: DocumentForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "document": row, "heading": row.title}
        return self.show_version("publisher/document.html", version, context, status=status)


class DeleteDocument(VersionPage):
    """Delete one."""

    def post(self, request: HttpRequest, pk: uuid.UUID, document: uuid.UUID) -> HttpResponse:
        """For good."""
        row = own(self.version(pk).documents.all(), pk=document)
        documents.delete_document(actor=self.actor, document=row)
        messages.success(request, _("The document %(title)s was deleted.") % {"title": row.title})
        return redirect("publisher-documents", pk)
