"""The short way for texts without Markdown gives what the parser gives."""

from hypothesis import example, given
from hypothesis import strategies as st

from common.markdown import markdown_html, parsed

_CHARACTERS = "abcZ019 ,.;:'\"()/?%$=+-*_`<>&[]!#~|\\\n\tä"


@given(st.text(_CHARACTERS, max_size=40))
@example("The amount, in minor units (for example 1000 = 10.00).  ")
@example("a\n-")
@example("a\n=")
@example('It says "so": https://example.com/?a=1 - and 50% + more')
@example("")
def test_a_text_is_shown_as_the_parser_shows_it(text: str) -> None:
    assert markdown_html(text) == parsed(text)
