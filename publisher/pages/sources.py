"""Where a definition comes from: pasted, a file, a URL, or operations typed by hand."""

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.pages.forms import PageForm
from common.errors import ArchwayError, InputError
from publisher.definitions import MAX_BYTES, Definition, HandOperation, operations_by_hand, parse_definition
from publisher.fetching import fetch_definition

_SUMMARY: Final = re.compile(r"\s#\s*(?P<summary>.*)$")
_PUBLIC: Final = "public"
HAND: Final = "hand"


class SourceForm(PageForm):
    """One way to give a definition. ``field``: the input that errors about the definition belong to."""

    label: ClassVar[Any]
    field: ClassVar[str] = "definition"

    def text(self) -> str:
        """The text that was given. Raises ``InputError``, and ``KeyManagerError`` when a URL does not answer."""
        return str(self.cleaned_data[self.field])


class PastedForm(SourceForm):
    """The text itself."""

    label = _("Paste")
    definition = forms.CharField(
        label=_("OpenAPI definition"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "class": "mono", "spellcheck": "false"}),
        help_text=_("JSON or YAML of OpenAPI 2.0, 3.0 or 3.1, at most 5 MB."),
    )


class FileForm(SourceForm):
    """A file."""

    label = _("File")
    definition = forms.FileField(
        label=_("OpenAPI file"), help_text=_("JSON or YAML of OpenAPI 2.0, 3.0 or 3.1, at most 5 MB.")
    )

    def text(self) -> str:
        """The text of the file."""
        uploaded = self.cleaned_data["definition"]
        if uploaded.size > MAX_BYTES:
            raise InputError.of("definition", f"The definition is larger than {MAX_BYTES // (1024 * 1024)} MB.")
        try:
            return str(uploaded.read(), "utf-8")
        except UnicodeDecodeError as exc:
            raise InputError.of("definition", "The file is not UTF-8.") from exc


class UrlForm(SourceForm):
    """A URL that is fetched once."""

    label = _("URL")
    field = "definition_url"
    definition_url = forms.CharField(
        label=_("URL of the definition"),
        max_length=2000,
        widget=forms.URLInput,
        help_text=_("It is fetched once, now. Private addresses are refused."),
    )

    def text(self) -> str:
        """What is behind the URL."""
        return fetch_definition(self.cleaned_data["definition_url"], settings.ARCHWAY_ALLOWED_NETWORKS)


class HandForm(SourceForm):
    """Operations, one a line."""

    label = _("From scratch")
    field = "operations"
    operations = forms.CharField(
        label=_("Operations"),
        widget=forms.Textarea(
            attrs={
                "rows": 10,
                "class": "mono",
                "spellcheck": "false",
                "placeholder": "GET /hours public\nPOST /tickets tickets:buy # Buy a ticket",
            }
        ),
        help_text=_(
            "One a line: the method, the path, then the scopes of which a token needs one, or “public” when no token "
            "is needed. A summary may follow after #."
        ),
    )


SOURCES: Final[dict[str, type[SourceForm]]] = {
    "text": PastedForm,
    "file": FileForm,
    "url": UrlForm,
    HAND: HandForm,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A definition that could be read, with the text that it was read from. ``source``: a key of ``SOURCES``."""

    source: str
    text: str
    definition: Definition


def given_by(source: str, form: SourceForm) -> Given | None:
    """What ``form`` gives, or ``None``: then the form says what is wrong, with line and column.

    Call it outside of any transaction: a URL is fetched here.
    """
    if not form.is_valid():
        return None
    try:
        text = form.text()
        return Given(source=source, text=text, definition=read_definition(source, text))
    except ArchwayError as error:
        for message in next(iter(error.fields.values()), [error.message]):
            form.add_error(form.field, message)
        return None


def read_definition(source: str, text: str, *, title: str = "API", version: str = "1.0.0") -> Definition:
    """The definition in ``text``; ``title`` and ``version`` are for typed operations.

    Raises ``InputError``; its messages say the line.
    """
    if source != HAND:
        return parse_definition(text)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    try:
        return operations_by_hand([_typed(line) for _, line in lines], title=title, version=version)
    except InputError as error:
        placed = [said for name, messages in error.fields.items() for said in _at_line(lines, name, messages)]
        raise InputError(error.message, fields={"operations": placed}) from error


def _typed(line: str) -> HandOperation:
    found = _SUMMARY.search(line)
    words = (line[: found.start()] if found else line).split()
    method, path, *needs = [*words, "", ""][: max(len(words), 2)]
    public = needs == [_PUBLIC]
    return HandOperation(
        method=method,
        path=path,
        scopes=() if public else tuple(needs),
        auth="none" if public else "required",
        summary=found["summary"].strip() if found else "",
    )


def _at_line(lines: list[tuple[int, str]], name: str, messages: list[str]) -> list[str]:
    """The messages about ``operations[2].path`` with the line that the third operation was typed on."""
    place = re.match(r"operations\[(\d+)\]", name)
    return [f"line {lines[int(place[1])][0]}: {message}" if place else message for message in messages]
