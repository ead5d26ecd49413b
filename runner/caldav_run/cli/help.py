"""How the help of a verb lists what it takes."""

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from typer.core import TyperCommand

from caldav_run.cli.repositories import Choice

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

_SHARED: Final = frozenset(each.name for each in fields(Choice))


class Verb(TyperCommand):
    """A verb; the options that all verbs share which look into a repository stand last."""

    def format_options(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Write the arguments, the verb's own options, and those that choose a repository."""
        parameters = self.get_params(ctx)
        shared = _SHARED if "repository" in {each.name for each in parameters} else frozenset()
        arguments: list[tuple[str, str]] = []
        own: list[tuple[str, str]] = []
        choosing: list[tuple[str, str]] = []
        for each in parameters:
            if (record := each.get_help_record(ctx)) is None:
                continue
            if each.param_type_name == "argument":
                name, about = record
                # The Python type behind the name tells nobody anything.
                arguments.append((name.partition(" <")[0], about))
            else:
                (choosing if each.name in shared else own).append(record)
        for heading, records in (
            ("Arguments", arguments),
            ("Options", own),
            ("Which repository, and what opens it", choosing),
        ):
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)
