"""The tools: plain functions. `@tool` records each call with its result or its failure."""

import ast
import asyncio
import operator
import os
import resource
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from laneway import tool

DOCUMENTS = Path(__file__).parent / "documents"
DATA = Path(os.environ.get("ASSISTANT_DATA", ".assistant"))
CPU_LIMIT_S = 3  # an endless snippet shows as a long bar, and is over before it bores
PYTHON_LIMIT_S = 60.0  # of one that waits; a busy machine may be slow to start any
HITS = 8
BIGGEST_POWER = 1000  # 9**9**9 would keep a core busy for hours
OPERATORS: dict[type, Callable[..., float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
    ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip


@tool
async def search_files(words: str) -> str:
    """Find the lines of the documents that hold these words, best first."""
    hits = await asyncio.to_thread(lambda: sorted(grep(words.lower().split()), reverse=True))
    return "\n".join(line for _, line in hits[:HITS]) or f"no line holds any of: {words}"


def grep(words: list[str]) -> Iterator[tuple[int, str]]:
    """Every line with a hit as ``name.md:7: text``, and how many of the words it holds."""
    for path in DOCUMENTS.glob("*.md"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if score := sum(word in f"{path.stem} {line}".lower() for word in words):
                yield score, f"{path.name}:{number}: {line}"


@tool
def read_file(path: str) -> str:
    """Read one document."""
    file = (DOCUMENTS / path).resolve()
    if not file.is_relative_to(DOCUMENTS.resolve()):
        raise PermissionError(f"{path} is outside of the documents")
    if not file.is_file():
        raise FileNotFoundError(f"there is no document {path}")
    return file.read_text(encoding="utf-8")


@tool
def calculate(expression: str) -> str:
    """Work out plain arithmetic."""
    return f"{expression} = {evaluate(ast.parse(expression, mode='eval').body)}"


def evaluate(node: ast.expr) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            a, b = evaluate(left), evaluate(right)
            if isinstance(op, ast.Pow) and max(abs(a), abs(b)) > BIGGEST_POWER:
                raise OverflowError(f"{a}**{b} is too large")
            return OPERATORS[type(op)](a, b)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](evaluate(operand))
    raise ValueError(f"{ast.unparse(node)!r} is not plain arithmetic")


def limit_cpu() -> None:
    """An endless loop ends by itself, also where the assistant was killed meanwhile."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S + 1))


@tool
async def run_python(code: str) -> str:
    """Run a short Python snippet in a process of its own, and return what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", code, env={}, preexec_fn=limit_cpu,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, err = await asyncio.wait_for(process.communicate(), PYTHON_LIMIT_S)
    except TimeoutError:
        raise TimeoutError(f"no end after {PYTHON_LIMIT_S:g} s; killed") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == -signal.SIGXCPU:
        raise TimeoutError(f"no end after {CPU_LIMIT_S} s of processor time; killed")
    if process.returncode:
        raise RuntimeError(f"exit code {process.returncode}: {err.decode().strip()}")
    return out.decode().strip()


@tool
def query_notes(sql: str) -> str:
    """Ask the notes a question in SQL, read-only. There is one table: note(id, text, at)."""
    open_notes().close()  # makes the file where there is none yet
    with closing(sqlite3.connect(f"file:{DATA / 'notes.db'}?mode=ro", uri=True)) as notes:
        rows = notes.execute(sql).fetchmany(HITS)
    return "\n".join(" | ".join(map(str, row)) for row in rows) or "no such note"


@tool
def write_note(text: str) -> str:
    """Keep a note."""
    with closing(open_notes()) as notes, notes:
        number = notes.execute("INSERT INTO note (text) VALUES (?)", [text]).lastrowid
    return f"kept as note {number}: {text}"


def open_notes() -> sqlite3.Connection:
    DATA.mkdir(parents=True, exist_ok=True)
    notes = sqlite3.connect(DATA / "notes.db", timeout=10)
    notes.execute(
        "CREATE TABLE IF NOT EXISTS note"
        " (id INTEGER PRIMARY KEY, text TEXT NOT NULL, at TEXT DEFAULT CURRENT_TIMESTAMP)"
    )
    return notes
