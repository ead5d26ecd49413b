import json

from caldav_run.pipeline.places import Span
from caldav_run.pipeline.problems import Problem, Severity, complete
from caldav_run.pipeline.render import render_github, render_json, render_text


def problem(line: str, span: Span, **more: str) -> Problem:
    found = Problem(code="a-code", message="it is wrong", span=span, **more)  # type: ignore[arg-type]
    lines = [""] * (span.line - 1) + [line]
    return complete([found], "p.yaml", lines, {})[0]


def test_a_problem_is_laid_out_as_the_manual_shows() -> None:
    found = Problem(
        code="unknown-key",
        message='unknown key "wihtin" in sinks.vault.keep',
        span=Span(23, 12, 6),
        hint='did you mean "within"?',
        notes=("allowed: within, min_generations, auto",),
    )
    lines = [""] * 22 + ["    keep: {wihtin: 2y}"]
    assert render_text(complete([found], "pipelines/nightly.yaml", lines, {})) == (
        'error[unknown-key]: unknown key "wihtin" in sinks.vault.keep\n'
        "  --> pipelines/nightly.yaml:23:12\n"
        "23 |     keep: {wihtin: 2y}\n"
        '   |            ^^^^^^ did you mean "within"?\n'
        "   = allowed: within, min_generations, auto\n"
        "1 error in 1 file; nothing was run."
    )


def test_the_caret_stands_below_what_it_marks_though_letters_are_wide() -> None:
    text = render_text([problem("日本e\u0301: x", Span(1, 7, 1))])
    assert "1 | 日本e\u0301: x\n  |        ^\n" in text


def test_control_characters_and_turned_text_do_not_reach_the_terminal() -> None:
    text = render_text([problem("a: \u202e\x85b", Span(1, 1, 1))])
    assert "\u202e" not in text
    assert "\\u202e" in text


def test_a_file_name_does_not_reach_the_terminal_raw() -> None:
    found = complete([Problem(code="a", message="b")], "x\x1b[31m\udcff.yaml", [], {})
    for report in (render_text(found), render_json(found), render_github(found)):
        assert "\x1b" not in report
        report.encode()


def test_a_long_line_is_cut_around_the_place() -> None:
    text = render_text([problem("x" * 5000 + "HERE" + "y" * 5000, Span(1, 5001, 4))])
    shown, carets = text.splitlines()[2:4]
    assert len(shown) < 180
    assert shown[carets.index("^") :].startswith("HERE")


def test_a_long_hint_gets_a_line_of_its_own() -> None:
    hint = "write " + "this " * 30
    assert f"  | ^\n  = {hint}" in render_text([problem("a: 1", Span(1, 1, 1), hint=hint)])


def test_a_place_behind_the_end_of_the_file_has_no_snippet() -> None:
    found = complete([Problem(code="a", message="b", span=Span(9, 1))], "p", ["x"], {})
    assert render_text(found).splitlines()[1] == "  --> p:9:1"


def test_equal_problems_are_told_once_and_in_the_order_of_the_file() -> None:
    late = Problem(code="b", message="late", span=Span(2, 1))
    early = Problem(code="c", message="early", span=Span(1, 9))
    found = complete([late, early, late], "p", ["", ""], {})
    assert [one.message for one in found] == ["early", "late"]


def test_overlapping_masks_hide_once() -> None:
    found = Problem(code="a", message="b", span=Span(1, 1, 1))
    (done,) = complete([found], "p", ["k: secret text"], {1: [(3, 9), (3, 5), (6, 14)]})
    assert done.snippet is not None
    assert done.snippet.text == "k: ***"


def test_more_than_50_problems_of_a_file_are_counted_only() -> None:
    found = [Problem(code="a", message=str(n), file="p.yaml") for n in range(60)]
    lines = render_text(found).splitlines()
    assert lines[-2:] == [
        "p.yaml: 10 more problems are not shown",
        "60 errors in 1 file; nothing was run.",
    ]


def test_warnings_alone_do_not_say_that_nothing_was_run() -> None:
    found = [Problem(code="a", message="b", severity=Severity.WARNING)] * 2
    assert render_text(found, files=2).splitlines()[-1] == "2 warnings in 2 files."


def test_json_holds_everything() -> None:
    found = problem("a: 1", Span(1, 4, 1), hint="write it")
    whole = Problem(code="file-empty", message="empty", file="q.yaml", severity=Severity.WARNING)
    report = json.loads(render_json([found, whole], files=2))
    assert report == {
        "files": 2,
        "errors": 1,
        "warnings": 1,
        "problems": [
            {
                "code": "a-code",
                "severity": "error",
                "file": "p.yaml",
                "line": 1,
                "column": 4,
                "length": 1,
                "message": "it is wrong",
                "hint": "write it",
                "notes": [],
            },
            {
                "code": "file-empty",
                "severity": "warning",
                "file": "q.yaml",
                "line": None,
                "column": None,
                "length": None,
                "message": "empty",
                "hint": None,
                "notes": [],
            },
        ],
    }


def test_a_github_annotation_is_escaped() -> None:
    found = Problem(
        code="a", message="100%\r\n::error::x", file="a,b:c.yaml", span=Span(3, 4), notes=("n",)
    )
    assert render_github([found]) == (
        "::error file=a%2Cb%3Ac.yaml,line=3,col=4,title=a::100%25%0D%0A::error::x%0An"
    )
