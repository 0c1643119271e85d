"""Plans in words."""

from typing import Final

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from subscriptions.models import Plan

register = template.Library()
_SPANS: Final = {
    1: gettext_lazy("%(requests)s calls a second"),
    60: gettext_lazy("%(requests)s calls a minute"),
    3600: gettext_lazy("%(requests)s calls an hour"),
    86400: gettext_lazy("%(requests)s calls a day"),
}


@register.filter
def limit(plan: Plan) -> str:
    """What the plan allows, as "5,000 calls a minute"."""
    if not plan.requests or not plan.per_seconds:
        return _("No limit")
    words = _SPANS.get(plan.per_seconds, gettext_lazy("%(requests)s calls in %(seconds)s seconds"))
    return str(words) % {"requests": f"{plan.requests:,}", "seconds": f"{plan.per_seconds:,}"}
