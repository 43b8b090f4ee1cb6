"""Words of libraries in our spelling."""

import pytest

from apps.common.templatetags.wording import in_our_words


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Email", "E-mail"),
        ("Removed email address email@demo.example.", "Removed e-mail address email@demo.example."),
        ("Confirmation email sent to my.email@demo.example.", "Confirmation e-mail sent to my.email@demo.example."),
        ("Wrong email.", "Wrong e-mail."),
        ("<b>emails</b>", "&lt;b&gt;e-mails&lt;/b&gt;"),
    ],
)
def test_email_is_written_as_everywhere(theirs: str, ours: str) -> None:
    assert in_our_words(theirs) == ours
