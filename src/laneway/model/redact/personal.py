"""Personal data, where the setting ``redact_personal`` asks for it: addresses, telephone and
account numbers. Numbers with check digits must pass the check; each search is bounded.
"""

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from laneway.model.redact.scan import Span

_LOCAL = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-")
_DOMAIN = re.compile("[A-Za-z0-9-]{1,63}+(?:\\.[A-Za-z0-9-]{1,63}+){1,8}+")
_IPV4 = re.compile(r"(?<![\w.])[0-9]{1,3}+(?:\.[0-9]{1,3}+){3}(?![\w]|\.[0-9])")
_IPV6 = re.compile("(?<![\\w:.])[0-9A-Fa-f:]{4,39}+(?![\\w])")
_IBAN = re.compile("(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}[A-Z0-9 ]{11,40}+")
_CARD = re.compile(r"(?<![\w.+-])[2-6](?:[ -]?+[0-9]){12,18}+(?![\w]|[.-][0-9])")
_PHONE = re.compile(r"(?<![\w.+-])(?:\+[1-9]|\(0?[0-9]{2,4}\))[0-9 ()./-]{6,20}+")
_PHONE_LOCAL = re.compile(r"(?<![\w.+-])[2-9][0-9]{2}([-. ])[0-9]{3}\1[0-9]{4}(?![\w]|[.-][0-9])")

IBAN_CHARS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24,
    "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21,
    "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
"""Length by country: the registry of ISO 13616."""


def find_personal(text: str) -> "list[Span]":
    found = list(_find_email(text)) if "@" in text else []
    if not any(digit in text for digit in "0123456789"):
        return found
    found += _find_ip(text)
    found += _find_iban(text)
    found += _find_card(text)
    found += _find_phone(text)
    return found


def _find_email(text: str) -> "Iterator[Span]":
    at = text.find("@")
    while at >= 0:
        start = at
        while start > max(0, at - 64) and text[start - 1] in _LOCAL:
            start -= 1
        domain = _DOMAIN.match(text, at + 1)
        if start < at and domain and _is_domain(domain[0]) and text[start:at] != "git":
            yield start, domain.end(), "email"
        at = text.find("@", at + 1)


def _is_domain(name: str) -> bool:
    last = name.rpartition(".")[2]
    return len(last) >= 2 and last.isalpha()


def _find_ip(text: str) -> "Iterator[Span]":
    for found in _IPV4.finditer(text):
        parts = [int(part) for part in found[0].split(".")]
        if max(parts) <= 255 and parts[0] not in (0, 127):
            yield *found.span(), "ip"
    for found in _IPV6.finditer(text) if text.count(":") >= 2 else ():
        if _is_ipv6(found[0].rstrip(":")):
            yield found.start(), found.start() + len(found[0].rstrip(":")), "ip"


def _is_ipv6(text: str) -> bool:
    groups = text.split(":")
    filled = [group for group in groups if group]
    if len(filled) < 3 or not all(len(group) <= 4 for group in filled):
        return False
    return len(groups) == 8 == len(filled) or (text.count("::") == 1 and len(filled) < 8)


def _find_iban(text: str) -> "Iterator[Span]":
    for found in _IBAN.finditer(text):
        wanted = IBAN_CHARS.get(found[0][:2], 0)
        end, seen = found.start(), 0
        while seen < wanted and end < found.end():
            seen += text[end] != " "
            end += 1
        code = text[found.start() : end].replace(" ", "")
        if wanted and len(code) == wanted and text[end : end + 1].isalnum() is False:
            number = int("".join(str(int(sign, 36)) for sign in code[4:] + code[:4]))
            if number % 97 == 1:
                yield found.start(), end, "iban"


def _find_card(text: str) -> "Iterator[Span]":
    for found in _CARD.finditer(text):
        digits = found[0].replace(" ", "").replace("-", "")
        if _is_issued(digits) and passes_luhn(digits):
            yield *found.span(), "card"


def _is_issued(digits: str) -> bool:
    """Length and first digits as the networks give them out."""
    size, head = len(digits), int(digits[:2])
    if head in (34, 37):
        return size == 15
    if head in (30, 36, 38, 39):
        return size == 14
    return (
        size in (13, 16, 19)
        if digits[0] == "4"
        else size == 16 and (22 <= head <= 27 or head >= 51)
    )


def passes_luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _find_phone(text: str) -> "Iterator[Span]":
    for pattern in (_PHONE, _PHONE_LOCAL):
        for found in pattern.finditer(text):
            number = found[0].rstrip(" ()./-")
            end = found.start() + len(number)
            if 8 <= sum(map(str.isdigit, number)) <= 15 and not text[end : end + 1].isalnum():
                yield found.start(), end, "phone"
