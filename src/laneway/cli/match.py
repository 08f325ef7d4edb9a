"""The options of a command, and the query in its arguments, as one expression."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from laneway.base.errors import QueryError, quote
from laneway.model.vocabulary import LEVEL_ALIASES, LEVEL_RANK, LEVELS
from laneway.store.query import field
from laneway.store.query.expr import EVERYTHING, Expr, Regex, Text, is_one_of, negate
from laneway.store.query.parse import parse
from laneway.store.query.pattern import compile_regex
from laneway.store.query.write import write

Names = Sequence[str] | None

_NEGATION = re.compile(r"-(?:[\"(~/]|([A-Za-z_]+)(?:\.[^:=<>!]*)?[:=<>!])")
_SHIELD = " "


def shield_negations(args: Sequence[str]) -> list[str]:
    """``args`` with a space before what is a query and would be read as options, such as ``-event:log`` as
    ``-e``; `parse_words` takes it away."""
    end = args.index("--") if "--" in args else len(args)
    return [_SHIELD + arg if _is_negation(arg) else arg for arg in args[:end]] + [*args[end:]]


def _is_negation(arg: str) -> bool:
    found = _NEGATION.match(arg)
    name = found and found[1]
    return found is not None and (
        not name or name.lower() in field.BY_NAME or name.lower() in field.OTHER_WORDS
    )


def parse_words(words: Names, *, is_utc: bool = False) -> Expr:
    """The query in the arguments, which a shell may have cut at its spaces. Times that name no zone
    are local.

    Raises:
        QueryError: it cannot be read; the hint shows where.
    """
    text = " ".join(word.removeprefix(_SHIELD) for word in words or ())
    zone: tzinfo | None = UTC if is_utc else datetime.now().astimezone().tzinfo
    try:
        return parse(text, zone=zone or UTC)
    except QueryError as error:
        from rich.cells import cell_len

        if error.column and len(text) <= SHOWN_CHARS and text.isprintable():
            indent = " " * cell_len(text[: error.column - 1])
            error.hint = f"{error.hint}\n  {text}\n  {indent}^"
        raise


SHOWN_CHARS = 200


def write_words(words: Names, *, is_utc: bool = False) -> str:
    """The query in the arguments as any hub reads it, wherever it runs."""
    return write(parse_words(words, is_utc=is_utc))


def of_names(
    *, agent: Names = None, not_agent: Names = None, event: Names = None, not_event: Names = None,
    session: Names = None, tool: Names = None, level: Names = None,
) -> list[Expr]:  # fmt: skip
    """A condition for each option that was given; names are taken as they stand."""
    wanted = {
        field.AGENT: agent, field.EVENT: event, field.SESSION: session, field.TOOL: tool,
        field.LEVEL: parse_levels(tuple(level or ())),
    }  # fmt: skip
    unwanted = {field.AGENT: not_agent, field.EVENT: not_event}
    parts = [is_one_of(one, names or ()) for one, names in wanted.items()]
    return parts + [negate(is_one_of(one, names)) for one, names in unwanted.items() if names]


def parse_levels(words: tuple[str, ...]) -> tuple[str, ...]:
    """``error`` is that level; ``warning+`` is that level and all worse ones.

    Raises:
        QueryError: no such level.
    """
    levels: list[str] = []
    for word in words:
        name = word.strip().lower().removesuffix("+")
        name = LEVEL_ALIASES.get(name, name)
        if name not in LEVEL_RANK:
            raise QueryError(f"level: {quote(word)} is not one of {', '.join(LEVELS)}")
        levels += LEVELS[LEVEL_RANK[name] :] if word.endswith("+") else [name]
    return tuple(dict.fromkeys(levels))


def parse_grep(pattern: str | None) -> Expr:
    """A regular expression on the event's text, line by line, that ignores case as long as it has no
    capital letter itself.

    Raises:
        QueryError: it is not a regular expression.
    """
    if not pattern:
        return EVERYTHING
    ignores_case = pattern == pattern.lower()
    try:
        compile_regex(pattern, ignores_case)
    except QueryError as error:
        raise QueryError(f"grep: {error.message}", hint=error.hint) from None
    return Text(Regex(f"(?m:{pattern})", ignores_case))
