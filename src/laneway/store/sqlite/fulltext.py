"""Conditions as FTS5 expressions: what a query can ask of the words alone."""

from laneway.store.query.content import CUT
from laneway.store.query.expr import And, Compare, Equal, Expr, Has, Or, Phrase, Test, Text, Value
from laneway.store.query.field import ERROR, Field, Kind, kind_of
from laneway.store.query.token import has_words, spread
from laneway.store.query.value import try_number

WORDLESS = frozenset({"true", "false", "null"})
"""Values of JSON that are not in the text."""


def phrase_of(test: Phrase) -> str:
    """Every word comes out quoted: nothing in it is syntax to FTS5."""
    body = " ".join(spread(test.text.replace("\0", " ").replace('"', " ")).split())
    return f'"{body}"{"*" if test.is_prefix else ""}'


def try_match(expr: Expr) -> tuple[str, bool] | None:
    """An expression that every event meets for which ``expr`` holds, and whether it means the same.

    None where the words say nothing about it.
    """
    match expr:
        case Text(Phrase() as test):
            return phrase_of(test), True
        case And(parts):
            known = [found for part in parts if (found := try_match(part))]
            is_same = len(known) == len(parts) and all(same for _, same in known)
            return (_join(" AND ", known), is_same) if known else None
        case Or(parts):
            known = [found for part in parts if (found := try_match(part))]
            is_same = all(same for _, same in known)
            return (_join(" OR ", known), is_same) if len(known) == len(parts) else None
        case Value(field, tests):
            return _narrowed(_value_match(field, tests))
        case Compare(field, _, _) | Has(field) if field != ERROR:
            return _narrowed(_path_match(field))
    return None


def _join(word: str, found: list[tuple[str, bool]]) -> str:
    return word.join(f"({one})" for one, _ in found)


def _narrowed(match: str) -> tuple[str, bool] | None:
    """The words of a long event are not all in the index."""
    return (f'({match}) OR "{CUT}"', False) if match else None


def _value_match(field: Field, tests: tuple[Test, ...]) -> str:
    if kind_of(field) is Kind.PAYLOAD:
        phrases = [phrase_of(test) for test in tests if isinstance(test, Phrase)]
        return " OR ".join(phrases) if len(phrases) == len(tests) else ""
    if kind_of(field) is not Kind.EXTRA:
        return ""
    words = [_equal_match(test) for test in tests]
    both = [_path_match(field), f"({' OR '.join(words)})" if all(words) else ""]
    return " AND ".join(filter(None, both))


def _equal_match(test: Test) -> str:
    """Numbers may be written in several ways."""
    if not isinstance(test, Equal) or try_number(test.text) is not None or test.text in WORDLESS:
        return ""
    return phrase_of(Phrase(test.text)) if has_words(test.text) else ""


def _path_match(field: Field) -> str:
    """The names of extra fields, and those within payloads, are words of the text."""
    if kind_of(field) is not Kind.EXTRA:
        return ""
    return " AND ".join(phrase_of(Phrase(part)) for part in field.path if has_words(part))
