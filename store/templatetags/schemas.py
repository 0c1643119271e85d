"""A schema in templates. A large body has five hundred rows, for which a template for each row takes 40 ms."""

from collections.abc import Iterator

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from common.markdown import markdown_html
from store.reference.model import SchemaRow

register = template.Library()


@register.simple_tag
def schema_row(row: SchemaRow, example: str = "", opened: bool = False) -> SafeString:
    """The row with the rows below it, folded unless ``opened``. ``example``: of a parameter."""
    return mark_safe("".join(_row(row, example, opened=opened)))  # noqa: S308 - each piece is escaped below


def _row(row: SchemaRow, example: str, *, opened: bool) -> Iterator[str]:
    yield f'<div class="param"><div><code>{escape(row.name or row.type)}</code>'
    if row.required:
        yield f' <span class="req">{escape(_("required"))}</span>'
    if row.name:
        yield f" <small>{escape(row.type)}</small>"
    yield "</div><div>"
    if row.description:
        yield f'<div class="text">{markdown_html(row.description)}</div>'
    if row.values:
        values = " ".join(f"<code>{escape(value)}</code>" for value in row.values)
        yield f"<small>{escape(_('Allowed:'))} {values}</small>"
    if row.facts:
        yield f"<small>{escape(', '.join(row.facts))}</small>"
    if example:
        yield f"<small>{escape(_('Example:'))} <code>{escape(example)}</code></small>"
    if row.rows:
        yield from _below(row, opened=opened)
    if row.more:
        yield f'<small class="muted">{escape(_("More in the definition."))}</small>'
    yield "</div></div>"


def _below(row: SchemaRow, *, opened: bool) -> Iterator[str]:
    number = len(row.rows)
    words = capfirst(row.choices) or ngettext("%(count)s member", "%(count)s members", number) % {"count": number}
    yield f'<details class="tech"{" open" if opened else ""}><summary>{escape(words)}</summary><div class="params">'
    for below in row.rows:
        yield from _row(below, "", opened=False)
    yield "</div></details>"
