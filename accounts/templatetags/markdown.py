"""Markdown in templates."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from common.markdown import markdown_html

register = template.Library()


@register.filter
def markdown(text: str) -> SafeString:
    """The text as HTML; HTML in it is shown as text."""
    return mark_safe(markdown_html(text))  # noqa: S308 - nothing active passes
