"""Ordinary events of agents, made up from a seed: what must stay as it is.

``python -m tests.model.redact.ordinary`` prints what was taken for a secret.
"""

import random
import string
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any

Event = dict[str, Any]

WORDS = [
    "the",
    "planner",
    "asks",
    "researcher",
    "for",
    "three",
    "sources",
    "on",
    "tidal",
    "power",
    "reads",
    "file",
    "runs",
    "tests",
    "writes",
    "summary",
    "token",
    "tokens",
    "password",
    "secret",
    "key",
    "session",
    "cookie",
    "author",
    "authorization",
    "author's",
    "credentials",
    "login",
    "user",
    "config",
    "loader",
    "cache",
    "index",
    "segment",
    "hub",
    "agent",
    "tool",
    "call",
    "model",
    "prompt",
    "context",
    "window",
    "budget",
    "limit",
    "retry",
]
MODELS = ("qwen3-8b", "gpt-4o-mini-2024-07-18", "claude-sonnet-4-5-20250929", "gemini-2.5-flash-preview-05-20",
          "meta-llama/Llama-3.3-70B-Instruct-Turbo", "deepseek-r1-distill-qwen-32b", "text-embedding-3-large",
          "mistralai/Mixtral-8x7B-Instruct-v0.1", "nvidia/llama-3_1-nemotron-ultra-253b-v1")  # fmt: skip
PEOPLE = (
    "Ann Author",
    "Token Adeyemi",
    "Keyla Pass",
    "S. Ecret",
    "Basil Bearer",
    "Cookie Chen",
    "Pat Na",
)
B62 = string.ascii_letters + string.digits
CODE = (
    "def get_token(self) -> str:\n    return self._token or os.environ['API_TOKEN']",
    "password = getpass.getpass('Password: ')\nif not check_password(password, user.password_hash): raise AuthError",
    "const { apiKey, secret } = await loadConfig(process.env.CONFIG_PATH);",
    "client = OpenAI(api_key=os.getenv('OPENAI_API_KEY'), max_retries=3)",
    "if (req.headers.authorization !== `Bearer ${token}`) return res.status(401).end();",
    "type Credentials struct {\n\tUsername string `json:\"username\"`\n\tPassword string `json:\"password\"`\n}",
    "SECRET_KEY = config('SECRET_KEY', default='')",
    "curl -H \"Authorization: Bearer $TOKEN\" $URL/api/events",
    "headers = {'Authorization': f'Bearer {self.token}', 'X-Api-Key': settings.api_key}",
    "password: ${{ secrets.REGISTRY_PASSWORD }}\nusername: ${{ github.actor }}",
    "env:\n  - name: DB_PASSWORD\n    valueFrom:\n      secretKeyRef:\n        name: db\n        key: password",
    "let token = tokens.next().ok_or(ParseError::UnexpectedEnd)?;",
    "public void setPassword(String password) { this.password = password; }",
    "assert redact('password=' + value) != value  # the secret is gone",
    "export function isToken(node: Node): node is Token { return node.kind === SyntaxKind.Token; }",
    "DATABASE_URL=postgres://user:${DB_PASSWORD}@localhost:5432/app",
    "psql postgresql://localhost:5432/app -U app --password",
    "api_key: Optional[str] = Field(None, description='The key of the service')",
    "for key, secret in secrets.items():\n    print(key, len(secret))",
    "x = tokenizer.encode(text, add_special_tokens=True)[:max_tokens]",
)  # fmt: skip
DOCS = (
    "Set `OPENAI_API_KEY` to your key (it begins with `sk-`) and restart.",
    "Passwords must have at least 12 characters; the password is never stored, only its hash.",
    "A bearer token is sent in the Authorization header: `Authorization: Bearer <token>`.",
    "Use `git clone https://<token>@github.com/org/repo.git`, or better an SSH key.",
    "The cookie banner sets a cookie: it expires after 30 days. Cookies are optional.",
    "Basic authentication: the client sends user and password in base64.",
    "password: string, required. secret: string, optional. token: the session's token.",
    "Example: AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY are placeholders.",
    "--token TOKEN       the token (default: $LANEWAY_TOKEN)\n--password PASSWORD  prompt if absent",
    "Your API key: sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx (replace it), or ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.",
    "Rotate the secret key every 90 days; the old key stays valid for an hour.",
    "Authorization: granted by the owner. Token: expired. Password: incorrect. Secret: none.",
    "The next token is sampled from the distribution; top_p=0.9, max_tokens=4096.",
    "Error: invalid api key provided: sk-...xxxx. You can find your API key in the settings.",
)  # fmt: skip


def prose(draw: random.Random) -> str:
    return " ".join(draw.choices(WORDS, k=draw.randrange(8, 60))) + "."


def hexes(draw: random.Random, size: int) -> str:
    return f"{draw.getrandbits(size * 4):0{size}x}"


def ulid(draw: random.Random) -> str:
    return "01" + "".join(draw.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=24))


def word_id(draw: random.Random, size: int) -> str:
    return "".join(draw.choices(B62, k=size))


def path(draw: random.Random) -> str:
    parts = [
        "/"
        + draw.choice(
            ("home/ann", "usr/lib/python3.12/site-packages", "workspace", "var/lib/docker/overlay2")
        )
    ]
    parts += [
        draw.choice((*WORDS, hexes(draw, 12), "node_modules", "@types", "__pycache__"))
        for _ in range(4)
    ]
    return "/".join(parts) + draw.choice(
        (".py", ".ts", ".json", ".key", ".pem", "/token.go", "/password.rs")
    )


def identifier(draw: random.Random) -> str:
    return (
        draw.choice(("-", "_")).join(draw.choices(WORDS, k=draw.randrange(3, 9))).replace("'", "")
    )


def camel(draw: random.Random) -> str:
    return "".join(word.title() for word in draw.choices(WORDS, k=draw.randrange(3, 7))).replace(
        "'", ""
    )


def version(draw: random.Random) -> str:
    return ".".join(str(draw.randrange(40)) for _ in range(3))


KINDS: dict[str, Callable[[random.Random], Event]] = {
    "prose": lambda d: {"content": prose(d)},
    "commit": lambda d: {"content": f"commit {hexes(d, 40)}\nAuthor: {d.choice(PEOPLE)} <ann@example.com>\n\n    {prose(d)}"},
    "git log": lambda d: {"output": "\n".join(f"{hexes(d, 7)} {prose(d)[:50]}" for _ in range(8))},
    "uuids": lambda d: {"session_id": str(uuid.UUID(int=d.getrandbits(128))), "content": f"request {uuid.UUID(int=d.getrandbits(128))} took 3 ms"},
    "ulid": lambda d: {"content": f"job {ulid(d)} follows {ulid(d)}", "job_id": ulid(d)},
    "trace": lambda d: {"trace_id": hexes(d, 32), "span_id": hexes(d, 16), "content": f"traceparent: 00-{hexes(d, 32)}-{hexes(d, 16)}-01"},
    "digest": lambda d: {"content": f"sha256:{hexes(d, 64)} pulled; md5 {hexes(d, 32)}; sha512-{b64encode(d.randbytes(64)).decode()}"},
    "lock file": lambda d: {"output": f'"integrity": "sha512-{b64encode(d.randbytes(64)).decode()}",\n"resolved": "https://registry.npmjs.org/x/-/x-{version(d)}.tgz"'},
    "path": lambda d: {"tool": "read_file", "input": {"path": path(d)}, "output": f"{path(d)}:12: {prose(d)[:40]}"},
    "usage": lambda d: {"event": "llm_response", "model": d.choice(MODELS), "input_tokens": d.randrange(9_999), "max_tokens": 4096,
                        "usage": {"prompt_tokens": d.randrange(9_999), "completion_tokens": 12, "token_count": 99, "total_tokens": 7}},
    "call ids": lambda d: {"tool_call_id": f"call_{word_id(d, 24)}", "id_": f"toolu_01{word_id(d, 22)}", "response": f"chatcmpl-{word_id(d, 29)}",
                           "message": f"msg_01{word_id(d, 22)}", "request": f"req_{hexes(d, 32)}", "run": f"run_{word_id(d, 24)}"},
    "image": lambda d: {"input": {"image": f"data:image/png;base64,{b64encode(d.randbytes(d.randrange(300, 2000))).decode()}"}},
    "embedding": lambda d: {"output": [round(d.uniform(-1, 1), 6) for _ in range(30)], "model": d.choice(MODELS)},
    "code": lambda d: {"tool": "write_file", "input": {"text": "\n\n".join(d.choices(CODE, k=3))}},
    "diff": lambda d: {"output": f"diff --git a/x b/x\nindex {hexes(d, 7)}..{hexes(d, 7)} 100644\n" + "\n".join(f"+{row}" for row in d.choice(CODE).splitlines())},
    "minified": lambda d: {"output": "".join(f"function {word_id(d, 2)}({word_id(d, 1)}){{return {word_id(d, 1)}.{word_id(d, 3)}?{word_id(d, 2)}:0}}" for _ in range(20))},
    "docs": lambda d: {"content": f"{d.choice(DOCS)} {prose(d)} {d.choice(DOCS)}"},
    "hex dump": lambda d: {"output": "\n".join(f"{i * 16:08x}  {d.randbytes(16).hex(' ')}  |................|" for i in range(6))},
    "stack": lambda d: {"error": {"type": "KeyError", "message": f"'{identifier(d)}'", "stack": "Traceback (most recent call last):\n" + "\n".join(
        f'  File "{path(d)}", line {d.randrange(900)}, in {identifier(d).replace("-", "_")}\n    {d.choice(CODE).splitlines()[0]}' for _ in range(4))}},
    "log": lambda d: {"content": f"2026-11-26T10:00:00.{d.randrange(999):03d}Z INFO [worker-{d.randrange(9)}] {prose(d)} duration={d.random():.3f}s status=200 ip=10.0.0.{d.randrange(255)}"},
    "access log": lambda d: {"content": f'10.0.0.1 - - [26/Nov/2026] "GET /api/{identifier(d)}?page={d.randrange(9)}&next_page_token=abc HTTP/1.1" 200 {d.randrange(9_999)} "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"'},
    "names": lambda d: {"agent": identifier(d)[:80], "session_id": f"s-{word_id(d, 20)}", "content": f"{camel(d)}.{identifier(d)} calls {camel(d)}"},
    "tests": lambda d: {"output": "\n".join(f"tests/test_{d.choice(WORDS)}.py::test_{identifier(d).replace('-', '_')} PASSED [{i * 10}%]" for i in range(5)) + "\n5 passed in 0.4s"},
    "packages": lambda d: {"output": "\n".join(f"{identifier(d)}=={version(d)}" for _ in range(10))},
    "docker": lambda d: {"output": f"{hexes(d, 12)}  registry.example.com/{identifier(d)}:{version(d)}  Up 3 hours  0.0.0.0:80->8080/tcp"},
    "URL": lambda d: {"input": {"url": f"https://www.example.com/{identifier(d)}/{hexes(d, 24)}?utm_source={identifier(d)}&v={word_id(d, 11)}#{identifier(d)}"}},
    "JSON": lambda d: {"output": f'{{"tokens": {d.randrange(999)}, "author": "{d.choice(PEOPLE)}", "key": "value", "next": null, "hash": "{hexes(d, 40)}", "id": "{word_id(d, 20)}"}}'},
    "schema": lambda d: {"tools": [{"name": "login", "parameters": {"properties": {"password": {"type": "string", "description": "The password"}, "token": {"type": "string"}}, "required": ["password"]}}]},
    "SQL": lambda d: {"input": {"sql": f"SELECT id, password_hash, token_id FROM users WHERE secret_id = ${d.randrange(9)} AND session = '{word_id(d, 8)}'"}},
    "YAML": lambda d: {"output": f"spec:\n  replicas: {d.randrange(9)}\n  selector: {identifier(d)}\n  secretName: {identifier(d)}\n  tokenTTL: 3600\n  keyRef: {identifier(d)}"},
    "vectors": lambda d: {"output": b64encode(d.randbytes(600)).decode()},
    "word ids": lambda d: {"content": f"stored as {word_id(d, d.randrange(16, 50))} and {word_id(d, 32)}_{word_id(d, 8)}, next {word_id(d, 22)}-{word_id(d, 6)}"},
    "phone book": lambda d: {"content": f"{d.choice(PEOPLE)}, ann@example.com, +49 30 {d.randrange(10**6, 10**7)}, 10.0.0.{d.randrange(255)}"},
}  # fmt: skip


def iter_events(count: int, seed: int = 20261126) -> Iterator[tuple[str, Event]]:
    """(kind, event): every kind in turn."""
    draw = random.Random(seed)
    kinds = list(KINDS.items())
    for i in range(count):
        kind, make = kinds[i % len(kinds)]
        yield kind, {"timestamp": "2026-11-26T10:00:00.000000Z", "agent": "planner", "event": "log",
                     "id": str(uuid.UUID(int=draw.getrandbits(128))), **make(draw)}  # fmt: skip


def main() -> None:
    import sys

    from laneway.model.redact import Redactor
    from laneway.model.wire import encode_redacted

    redactor = Redactor()
    wrong = 0
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for kind, event in iter_events(count):
        line, found = encode_redacted(event, redactor)
        if found:
            wrong += 1
            if wrong < 30:
                at = line.decode().find("[redacted")
                print(kind, "|", line.decode()[max(0, at - 90) : at + 40])
    print(f"{wrong} of {count} events: {redactor.counts}")


if __name__ == "__main__":
    main()
