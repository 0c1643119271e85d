"""The look of registrations, for templates."""

from django import template

from keymanager.models import Registration
from keymanager.pages.registration_look import RegistrationLook, look_of

register = template.Library()


@register.filter
def look(row: Registration) -> RegistrationLook:
    """``{% with look=registration|look %}``: how the registration looks."""
    return look_of(row)
