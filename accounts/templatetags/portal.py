"""Small pieces of the portal's look, for every template."""

from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince, timeuntil
from django.utils.translation import gettext as _

from accounts.pages.code_words import CODE_WORDS

register = template.Library()
_HUES: Final = 6
_NOW: Final = 45
_DAY: Final = 24 * 3600


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon of ``static/img/icons.svg``; it is decoration, the text beside it speaks."""
    return format_html('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>', static("img/icons.svg"), name)


@register.simple_tag
def status(look: str, words: str, *, pill: bool = False) -> SafeString:
    """A state as shape and word. ``look``: ``ok``, ``wait``, ``bad``, ``off`` or ``info``."""
    return format_html('<span class="st{} {}">{}</span>', " pill" if pill else "", look, words)


@register.filter
def words(code: str) -> str:
    """What people read for a code word; one without words of its own is shown as it is."""
    return str(CODE_WORDS.get(str(code), code))


@register.simple_tag
def monogram(name: str, *, large: bool = False) -> SafeString:
    """Two letters on a tile; the same name always has the same hue."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()] or ["?"]
    letters = words[0][:2] if len(words) == 1 else words[0][0] + words[1][0]
    hue = int(sha256(name.encode()).hexdigest(), 16) % _HUES + 1
    size = " lg" if large else ""
    return format_html('<span class="mg{} h{}" aria-hidden="true">{}</span>', size, hue, letters.capitalize())


@register.simple_tag
def method(name: str) -> SafeString:
    """The mark of an HTTP method."""
    return format_html('<span class="m {}">{}</span>', name.lower(), {"DELETE": "DEL"}.get(name.upper(), name.upper()))


@register.simple_tag
def when(moment: datetime | None) -> SafeString | str:
    """A time as people say it, with the exact one (UTC) on hover."""
    if moment is None:
        return ""
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        moment.isoformat(),
        f"{moment:%-d %B %Y %H:%M:%S}",
        _said(moment),
    )


def _said(moment: datetime) -> str:
    now = timezone.now()
    seconds = (now - moment).total_seconds()
    if abs(seconds) < _NOW:
        return _("just now") if seconds >= 0 else _("in a moment")
    if 0 < seconds < _DAY:
        return _("%(duration)s ago") % {"duration": timesince(moment, now, depth=1)}
    if -_DAY < seconds < 0:
        return _("in %(duration)s") % {"duration": timeuntil(moment, now, depth=1)}
    return f"{moment:%-d %B %Y}"


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """The present query string with ``changes``; ``None`` or "" takes a parameter away."""
    request: HttpRequest = context["request"]
    parameters = request.GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in (None, ""):
            parameters[name] = str(value)
    return f"?{parameters.urlencode()}"


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], url: str, *, below: bool = False) -> SafeString | str:
    """``aria-current="page"`` when the page is at ``url`` (or, with ``below``, under it)."""
    path = context["request"].path
    here = path.startswith(url) if below else path == url
    return format_html(' aria-current="{}"', "true" if below else "page") if here else ""


@register.simple_tag
def in_dialog(url: str) -> SafeString:
    """The attributes of a link to a form: a dialog over this page where htmx runs, else the form's own page."""
    return format_html('href="{}" hx-get="{}" hx-target="#dialog" aria-haspopup="dialog" data-in-dialog', url, url)
