"""Events with a secret in them, in every form that is promised: about a hundred for each rule.

``python -m tests.model.redact.corpus`` prints the recall of each rule and what was missed.
"""

import json
import random
import sys
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from laneway.model.redact import Redactor
from laneway.model.redact.patterns import PATH_RULES, TOKEN_RULES, WORD_RULES
from laneway.model.wire import encode_redacted
from tests.model.redact.ordinary import iter_events
from tests.model.redact.secret import SHAPES, make, password, pem
from tools.region import put

ORDINARY_EVENTS = 20_000

VALUES = 5
"""Secrets of each rule in each form."""

Event = dict[str, Any]


class Case(NamedTuple):
    rule: str
    form: str
    event: Event
    gone: str
    """What must not be found in the line that is stored."""


def _encoded(text: str) -> str:
    return quote(text, safe="")


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode()


TOKEN_FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda t: t,
    "prose": lambda t: f"the value is {t} today",
    "sentence": lambda t: f"We use {t}. It works.",
    "quoted": lambda t: f'the value "{t}", they said',
    "parentheses": lambda t: f"(see {t})",
    "backticks": lambda t: f"run it with `{t}` set",
    "list": lambda t: f"red,{t},blue",
    "markdown table": lambda t: f"| value | {t} |",
    "JSON text": lambda t: json.dumps({"value": t}),
    "JSON in JSON": lambda t: json.dumps({"body": json.dumps({"value": [t]})}),
    "JSON in prose": lambda t: f"it answered {json.dumps({'value': t})} at once",
    "shell export": lambda t: f"export VALUE={t}",
    "shell quotes": lambda t: f"VALUE='{t}' ./run.sh",
    "curl header": lambda t: f"curl -s -H 'X-Value: {t}' https://api.example.com/v1",
    "header": lambda t: f"GET / HTTP/1.1\r\nX-Value: {t}\r\nAccept: */*",
    "multi-line": lambda t: f"first line\n{t}\nthird line",
    "YAML": lambda t: f"server:\n  value: {t}\n  port: 80\n",
    "TOML": lambda t: f'[server]\nvalue = "{t}"\n',
    "code": lambda t: f'client = Client("{t}", timeout=3)',
    "diff": lambda t: f"-VALUE=none\n+VALUE={t}",
    "log line": lambda t: f"2026-11-26T10:00:00Z INFO sent {t} (200)",
    "terminal colours": lambda t: f"\x1b[31m{t}\x1b[0m",
    "bytes": lambda t: f"b'{t}'",
    "base64": lambda t: _base64(f"value: {t}\n"),
}
ENCODED_FORMS: dict[str, Callable[[str], str]] = {
    "URL query": lambda t: f"https://api.example.com/v1?v={_encoded(t)}&page=2",
    "form body": lambda t: f"name=ann&v={_encoded(t)}",
}
"""Here the secret stands percent-encoded."""

TEXT_FIELDS: tuple[Callable[[str], Event], ...] = (
    lambda text: {"content": text},
    lambda text: {"output": text},
    lambda text: {"input": {"args": [{"text": text}]}},
    lambda text: {"error": {"type": "E", "message": text, "stack": f"  File x\n{text}"}},
    lambda text: {"summary": text, "note": [text]},
)


def _events(rule: str, form: str, text: str, gone: str, draw: random.Random) -> Case:
    return Case(rule, form, draw.choice(TEXT_FIELDS)(text), gone)


def iter_token_cases(draw: random.Random) -> Iterator[Case]:
    for rule, shapes in SHAPES.items():
        for i in range(VALUES):
            for form, wrap in TOKEN_FORMS.items():
                token = make(shapes[i % len(shapes)], draw)
                text = wrap(token)
                gone = text if form == "base64" else _secret_part(rule, token)
                yield _events(rule, form, text, gone, draw)
            for form, wrap in ENCODED_FORMS.items():
                token = make(shapes[i % len(shapes)], draw)
                gone = _encoded(_secret_part(rule, token))
                yield _events(rule, form, wrap(token), gone, draw)
            token = make(shapes[i % len(shapes)], draw)
            gone = _secret_part(rule, token)
            yield Case(rule, "object key", {"input": {"map": {token: 1}}}, gone)


def _secret_part(rule: str, token: str) -> str:
    """Of an address its secret path; of a bot's token what follows the bot's number."""
    if rule.endswith("-webhook"):
        return token.partition("services/" if "slack" in rule else "webhooks/" if "discord" in rule
                               else "webhookb2/")[2].rpartition("/")[2]  # fmt: skip
    return token.partition(":")[2] if rule == "telegram-token" else token


NAMES = ("password", "passwd", "secret", "api_key", "apikey", "secret_key", "access_key", "private_key",
         "client_secret", "db_password", "signing_key", "passphrase")  # fmt: skip

ASSIGNMENTS = {
    ".env": "PORT=80\n{NAME}={v}\nDEBUG=1",
    ".env quoted": '{NAME}="{v}"',
    "shell export": "export APP_{NAME}={v}",
    "shell prefix": "{NAME}={v} python -m app",
    "windows": "set {NAME}={v}",
    "powershell": "$env:{NAME} = '{v}'",
    "docker": "docker run -e {NAME}={v} --rm image",
    "option": "app --{name}={v} --verbose",
    "YAML": "db:\n  {name}: {v}\n  port: 5432",
    "YAML quoted": "{name}: '{v}'",
    "TOML": '{name} = "{v}"',
    "INI": "[db]\n{name} = {v}",
    "properties": "spring.datasource.{name}={v}",
    "JSON in prose": 'the file says {{"user": "ann", "{name}": "{v}"}} and more',
    "JSON escaped": '{{\\"user\\": \\"ann\\", \\"{name}\\": \\"{v}\\"}}',
    "dict": "{{'user': 'ann', '{name}': '{v}'}}",
    "keyword argument": 'connect(host="db", {name}="{v}")',
    "javascript": "const {name} = '{v}';",
    "go": '{name} := "{v}"',
    "ruby": ":{name} => '{v}'",
    "header": "X-{Name}: {v}",
    "base64": "",
}
CONNECTIONS = {
    "ADO": "Server=db,1433;Database=app;User Id=sa;Password={v};Encrypt=true",
    "ADO short": "Data Source=db;Uid=sa;Pwd={v};",
    "JDBC": "jdbc:postgresql://db:5432/app?user=app&password={v}&ssl=true",
    "JDBC SQL Server": "jdbc:sqlserver://db:1433;databaseName=app;user=sa;password={v};",
    "libpq": "host=db port=5432 dbname=app user=app password={v} sslmode=require",
    "libpq quoted": "host=db user=app password='{v}'",
    "ODBC": "Driver={{PostgreSQL}};Server=db;UID=app;PWD={v}",
    "storage account": "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey={key}==;EndpointSuffix=core.windows.net",
    "service bus": "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={key}=",
}  # fmt: skip
URLS = ("postgres://app:{v}@db:5432/app", "postgresql+asyncpg://app:{v}@db/app", "mysql://root:{v}@127.0.0.1/x",
        "mongodb+srv://app:{v}@cluster0.mongodb.net/?w=majority", "redis://:{v}@cache:6379/0", "rediss://u:{v}@cache",
        "amqp://guest:{v}@rabbit:5672/vhost", "amqps://u:{v}@mq", "https://ann:{v}@git.example.com/a/b.git",
        "ftp://ann:{v}@files.example.com/x", "smtp://mailer:{v}@mail:587", "clickhouse://default:{v}@ch:9000",
        "http://proxy:{v}@10.0.0.1:3128")  # fmt: skip
HEADERS = {
    "header": "{name}: {value}",
    "request": "GET /v1 HTTP/1.1\r\nHost: x\r\n{name}: {value}\r\nAccept: */*",
    "curl": "curl -H '{name}: {value}' https://api.example.com",
    "curl double": 'curl -H "{name}: {value}" https://api.example.com',
    "dict": "headers={{'{name}': '{value}'}}",
    "JSON in prose": 'sent {{"{name}": "{value}"}} to it',
    "JSON escaped": '{{\\"{name}\\": \\"{value}\\"}}',
    "python": "requests.get(url, headers={{\"{name}\": \"{value}\"}})",
    "log line": "2026-11-26 10:00:00 DEBUG http > {name}: {value}",
    "lower case": "{lower}: {value}",
}  # fmt: skip


def iter_word_cases(draw: random.Random) -> Iterator[Case]:
    for name in NAMES:
        for form, shape in ASSIGNMENTS.items():
            v = password(draw)
            fields = {
                "v": v,
                "name": name,
                "NAME": name.upper(),
                "Name": name.title().replace("_", "-"),
            }
            text = shape.format(**fields) if shape else _base64(f"{name.upper()}={v}\nPORT=80000\n")
            yield _events("assignment", form, text, v if shape else text, draw)
    for form, shape in CONNECTIONS.items():
        for _ in range(12):
            v, key = password(draw), make("{b64:86}", draw)
            text = shape.format(v=v, key=key)
            yield _events("connection string", form, text, key if "key" in shape else v, draw)
    for shape in URLS:
        for wrap in ("{u}", "connect to {u} now", "DATABASE_URL={u}", 'url = "{u}"', "- url: {u}", "git clone {u}",
                     '{{\\"url\\": \\"{u}\\"}}', "<{u}>"):  # fmt: skip
            v = _encoded(password(draw))
            yield _events("url-password", wrap, wrap.format(u=shape.format(v=v)), v, draw)
    yield from _header_cases(draw)
    yield from _other_cases(draw)


def _header_cases(draw: random.Random) -> Iterator[Case]:
    for form, shape in HEADERS.items():
        for _ in range(10):
            opaque = make("{b62:12}7{b64url:20}", draw)
            sid = make("{b62:30}", draw)
            signature = make("{hex:64}", draw)
            login = _base64(f"ann:{password(draw)}")
            for rule, name, value, gone in (
                ("bearer-token", "Authorization", f"Bearer {opaque}", opaque),
                ("basic-auth", "Authorization", f"Basic {login}", login.rstrip("=")),
                ("authorization", "Authorization", f"Token {opaque}", opaque),
                ("authorization", "Proxy-Authorization", opaque, opaque),
                ("cookie", "Cookie", f"theme=dark; sid={sid}", sid),
                ("cookie", "Set-Cookie", f"sid={sid}; Path=/; HttpOnly", sid),
                ("url-signature", "Authorization", f"AWS4-HMAC-SHA256 Credential=x/y, Signature={signature}", signature),
                ("assignment", "X-Api-Key", opaque, opaque),
                ("assignment", "X-Auth-Token", opaque, opaque),
            ):  # fmt: skip
                text = shape.format(name=name, lower=name.lower(), value=value)
                yield _events(rule, form, text, gone, draw)


OTHERS = {
    "option": ("mysql --password {v} -h db", "app --token {t}", "cli login --api-key '{t}' --json", 'x --secret "{v}"'),
    "element": ("<server><password>{v}</password></server>", "<secret>{v}</secret>", "  <passwd>{v}</passwd>\n"),
    "netrc": ("machine h login ann password {v}", "machine h\n  login ann\n  password {v}\n", "default login ann password {v}"),
    "curl-user": ("curl -u ann:{t} https://x.example.com", "curl --user 'ann:{t}' https://x", 'curl -s -u "ann:{t}" http://x'),
    "oracle-password": ("jdbc:oracle:thin:scott/{v}@//db:1521/XE", "url=jdbc:oracle:thin:app/{v}@db:1521:orcl"),
    "url-signature": ("https://acme.blob.core.windows.net/c/b?sv=2024-11-04&se=2026&sig={q}%3D", "https://b.s3.amazonaws.com/k?X-Amz-Date=1&X-Amz-Signature={h}"),
}  # fmt: skip
NAMED = {
    "password": "v", "db_password": "v", "PASSPHRASE": "v", "client_secret": "v", "apiKey": "t", "X-Api-Key": "t",
    "secret_access_key": "t", "privateKey": "t", "pwd": "t", "accessToken": "t", "refresh_token": "t", "authorization": "t",
    "credentials": "t", "Ocp-Apim-Subscription-Key": "t",
}  # fmt: skip


def _other_cases(draw: random.Random) -> Iterator[Case]:
    for rule, shapes in OTHERS.items():
        for shape in shapes * (100 // len(shapes)):
            values = {"v": password(draw), "t": make("{b62:20}4", draw), "q": make("{b62:42}", draw), "h": make("{hex:64}", draw)}  # fmt: skip
            gone = next(values[key] for key in values if f"{{{key}}}" in shape)
            yield _events(rule, shape[:24], shape.format(**values), gone, draw)
    for kind in ("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "):
        for _ in range(4):
            key = pem(draw, kind)
            line = key.splitlines()[5]
            for form, text in {
                "plain": key, "prose": f"here it is:\n{key}\nkeep it", "JSON": json.dumps({"k": key}),
                "JSON escaped": f"it is {json.dumps(key)}", "JSON in JSON": json.dumps({"b": json.dumps({"k": key})}),
                "YAML": "key: |\n" + "\n".join(f"  {row}" for row in key.splitlines()),
            }.items():  # fmt: skip
                yield _events("private-key", form, text, line, draw)
    for name, kind in NAMED.items():
        for _ in range(6):
            v = password(draw) if kind == "v" else make("{b62:24}9", draw)
            yield Case(f"field {name}", "field", {"input": {"user": "ann", name: v}}, v)
            yield Case(f"field {name}", "list", {"input": [{"deep": {name: [v]}}]}, v)
            yield Case(f"field {name}", "JSON text", {"output": json.dumps({name: v})}, v)
            yield Case(f"field {name}", "top level", {name: v}, v)


def iter_cases(seed: int = 20261126) -> Iterator[Case]:
    draw = random.Random(seed)
    yield from iter_token_cases(draw)
    yield from iter_word_cases(draw)


class Measure(NamedTuple):
    total: Counter[str]
    """Cases by rule."""
    found: Counter[str]
    missed: list[Case]
    wrong: list[tuple[str, Event]]
    """Ordinary events that were changed, with their kind."""


@cache
def measure() -> Measure:
    """The line that is stored of every case, and of `ORDINARY_EVENTS`, looked through."""
    redactor = Redactor()
    total: Counter[str] = Counter()
    found: Counter[str] = Counter()
    missed = []
    for case in iter_cases():
        line, _ = encode_redacted(case.event, redactor)
        total[case.rule] += 1
        if case.gone in line.decode():
            missed.append(case)
        else:
            found[case.rule] += 1
    events = iter_events(ORDINARY_EVENTS)
    wrong = [(kind, event) for kind, event in events if encode_redacted(event, redactor)[1]]
    return Measure(total, found, missed, wrong)


PAGE = Path(__file__).parents[3] / "docs" / "redaction.md"


def table() -> str:
    """The recall of each rule, and of how many ordinary events something was taken."""
    total, found, _, wrong = measure()
    anchors: dict[str, list[str]] = {}
    for rule in (*TOKEN_RULES, *PATH_RULES, *WORD_RULES):
        anchors.setdefault(rule.name, []).extend(rule.anchors)
    rows = [
        f"| {rule} | {_anchors(anchors.get(rule, []))} | {found[rule]} of {total[rule]} |"
        for rule in total
    ]
    return "\n".join((
        f"Found: {sum(found.values()):,} of {sum(total.values()):,} ({sum(found.values()) / sum(total.values()):.2%}). "
        f"Wrongly changed: {len(wrong)} of {ORDINARY_EVENTS:,} ordinary events.\n",
        "| rule | begins with, or stands beside | found |", "|---|---|---|", *rows, "",
    ))  # fmt: skip


def _anchors(anchors: list[str]) -> str:
    shown = ", ".join(f"`{anchor.strip()}`" for anchor in anchors[:6])
    return shown + (" …" if len(anchors) > 6 else "")


def page(text: str) -> str:
    """``text`` with the table as it is now."""
    return put(text, "rules", table())


def main() -> None:
    if "--write" in sys.argv:
        PAGE.write_text(page(PAGE.read_text()))
        return
    total, found, missed, _ = measure()
    for rule in total:
        if found[rule] < total[rule]:
            print(f"{rule:28s}{found[rule]:6d} of {total[rule]:6d}")
    print(f"{sum(found.values())} of {sum(total.values())}")
    for case in {(case.rule, case.form): case for case in missed}.values():
        print(case.rule, "|", case.form, "|", json.dumps(case.event)[:240])


if __name__ == "__main__":
    main()
