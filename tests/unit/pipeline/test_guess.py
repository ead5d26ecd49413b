import pytest

from caldav_run.pipeline.guess import similar


@pytest.mark.parametrize(
    ("word", "hint"),
    [("Include", 'did you mean "include"?'), ("xyz", None), ("include" * 20, None)],
)
def test_a_suggestion_is_made_for_what_is_near(word: str, hint: str | None) -> None:
    assert similar(word, ["include", "exclude"]) == hint
