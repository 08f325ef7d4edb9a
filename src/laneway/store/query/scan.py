"""The characters of a query, left to right: words, quoted texts and regular expressions."""

import re
from typing import NamedTuple, NoReturn

from laneway.base.errors import QueryError, quote

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PATH_PART = re.compile(r"[^\s:=<>!().,\"\\]+")
_CODE = re.compile(r"u\{([0-9A-Fa-f]{1,6})\}|u([0-9A-Fa-f]{4})")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
SEEN_CHARS = 20
"""Of what stands at an error's column."""


class Bare(NamedTuple):
    """A word or a quoted text. ``glob`` is all of it as a pattern; ``text`` is without the ``*`` at its
    end that makes it a prefix."""

    text: str
    glob: str
    is_quoted: bool
    is_prefix: bool
    star_count: int
    mark_count: int


class Scanner:
    """``place`` counts from 0; columns in messages from 1."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.length = len(text)
        self.place = 0

    def peek(self) -> str:
        return self._text[self.place : self.place + 1]

    def take(self) -> str:
        self.place += 1
        return self._text[self.place - 1]

    def skip(self, count: int) -> None:
        self.place += count

    def skip_spaces(self) -> None:
        while self.place < self.length and self._text[self.place].isspace():
            self.place += 1

    def at_end(self) -> bool:
        self.skip_spaces()
        return self.place >= self.length

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self._text, self.place)

    def try_take(self, sign: str) -> bool:
        self.skip_spaces()
        if self.peek() != sign:
            return False
        self.place += 1
        return True

    def is_word(self, word: str) -> bool:
        self.skip_spaces()
        end = self.place + len(word)
        following = self._text[end : end + 1]
        is_there = self._text.startswith(word, self.place)
        return is_there and (not following or following.isspace() or following in "()")

    def try_word(self, word: str) -> bool:
        if not self.is_word(word):
            return False
        self.place += len(word)
        return True

    def name(self) -> str:
        found = self.match(_NAME)
        if not found:
            self.fail("a name")
        self.place = found.end()
        return found[0]

    def path_part(self) -> str:
        if self.peek() == '"':
            return self.quoted()
        found = self.match(_PATH_PART)
        if not found:
            self.fail("a name", hint='quote it if it holds signs: attr."a b":value')
        self.place = found.end()
        return found[0]

    def quoted(self) -> str:
        """A text in double quotes, with its escapes undone."""
        start = self.place
        self.place += 1
        signs: list[str] = []
        while self.place < self.length:
            sign = self.take()
            if sign == '"':
                return "".join(signs)
            signs.append(self._escaped() if sign == "\\" else sign)
        self.fail_at(start, "a closing quote", hint='write \\" for a quote within it')

    def bare_or_quoted(self, *, stops: str, takes_wildcards: bool = True) -> Bare:
        """A word up to a space or one of ``stops``, or a quoted text, which ``*`` may follow."""
        if self.peek() == '"':
            text = self.quoted()
            is_prefix = takes_wildcards and self.peek() == "*"
            self.place += is_prefix
            return Bare(
                text, _plain_glob(text) + "*" * is_prefix, True, is_prefix, int(is_prefix), 0
            )
        signs: list[str] = []
        glob: list[str] = []
        wildcards: list[int] = []
        while self.place < self.length:
            sign = self.peek()
            if sign.isspace() or sign in stops:
                break
            self.place += 1
            if sign == "\\":
                signs.append(self._escaped())
                glob.append(_plain_glob(signs[-1]))
                continue
            if takes_wildcards and sign in "*?":
                wildcards.append(len(signs))
            signs.append(sign)
            glob.append(sign if takes_wildcards else _plain_glob(sign))
        return _bare("".join(signs), "".join(glob), wildcards)

    def regex(self) -> tuple[str, str]:
        """Pattern and flags of ``/pattern/flags``; a ``\\/`` in it is a slash."""
        start = self.place
        self.place += 1
        signs: list[str] = []
        while self.place < self.length:
            sign = self.take()
            if sign == "/":
                start = self.place
                while self.peek().isalnum():
                    self.place += 1
                return "".join(signs), self._text[start : self.place]
            if sign == "\\" and self.place < self.length:
                following = self.take()
                sign = "/" if following == "/" else sign + following
            signs.append(sign)
        self.fail_at(start, "a closing /", hint='to look for a path, quote it: "/tmp"')

    def _escaped(self) -> str:
        """What a backslash, just taken, makes of what follows."""
        found = self.match(_CODE)
        if found:
            code = int(found[1] or found[2], 16)
            if code > 0x10FFFF:
                self.fail("a character of Unicode")
            self.place = found.end()
            return chr(code)
        if self.place >= self.length:
            self.fail("a character behind the backslash")
        sign = self.take()
        return _ESCAPES.get(sign, sign)

    def fail(self, expected: str, *, hint: str = "") -> NoReturn:
        self.fail_at(self.place, expected, hint=hint)

    def fail_at(self, place: int, expected: str, *, seen: str = "", hint: str = "") -> NoReturn:
        rest = self._text[place:].split(maxsplit=1)
        seen = seen or (rest[0] if rest else "")
        shown = quote(seen, SEEN_CHARS) if seen else "the end"
        raise QueryError(
            f"q, column {place + 1}: {shown} where {expected} was expected",
            hint=hint,
            column=place + 1,
        )


def _bare(text: str, glob: str, wildcards: list[int]) -> Bare:
    """A ``*`` that stands alone is no prefix."""
    stars = [place for place in wildcards if text[place] == "*"]
    is_prefix = bool(stars) and stars[-1] == len(text) - 1 and len(text) > 1
    plain = text[:-1] if is_prefix else text
    return Bare(plain, glob, False, is_prefix, len(stars), len(wildcards) - len(stars))


def _plain_glob(text: str) -> str:
    return re.sub(r"[\\*?]", r"\\\g<0>", text)
