"""The assistant as a web service: ``POST /chat``. One request is one trace."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, HTTPException
from openai import OpenAIError
from pydantic import BaseModel, Field

from laneway import aspan, bind

from .agents import assistant, watch_forever

SESSION_IDLE_S = 45.0
WATCH_EVERY_S = 12.0


class Chat(BaseModel):
    message: Annotated[str, Field(min_length=1, max_length=8000)]
    session_id: Annotated[str, Field(min_length=1, max_length=100)] = Field(
        default_factory=lambda: f"chat-{uuid4().hex[:8]}"
    )


class Sessions:
    """One long bar each: open from the first request until nothing was asked for a while."""

    def __init__(self, idle_s: float) -> None:
        self.idle_s = idle_s
        self.turns: dict[str, asyncio.Queue[bool]] = {}
        self.tasks: set[asyncio.Task[None]] = set()

    def turn(self, session_id: str) -> None:
        if session_id not in self.turns:
            self.turns[session_id] = asyncio.Queue()
            task = asyncio.create_task(self.stay_open(session_id))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        self.turns[session_id].put_nowait(True)

    async def stay_open(self, session_id: str) -> None:
        async with aspan(session_id, kind="session", agent="assistant") as session:
            count = 0
            while await self.another_turn(self.turns[session_id]):
                count += 1
            del self.turns[session_id]
            session.set(turns=count)
            session.result = f"{count} turns"

    async def another_turn(self, turns: asyncio.Queue[bool]) -> bool:
        try:
            return await asyncio.wait_for(turns.get(), self.idle_s)
        except TimeoutError:
            return not turns.empty() and turns.get_nowait()

    async def close(self) -> None:
        for turns in self.turns.values():
            turns.put_nowait(False)
        await asyncio.gather(*self.tasks)


def build_app(idle_s: float = SESSION_IDLE_S, watch_every_s: float = WATCH_EVERY_S) -> FastAPI:
    sessions = Sessions(idle_s)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        watch = asyncio.create_task(watch_forever(watch_every_s))
        yield
        watch.cancel()
        await sessions.close()

    app = FastAPI(title="assistant", lifespan=lifespan)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/chat")
    async def chat(request: Chat) -> dict[str, str]:
        sessions.turn(request.session_id)
        with bind(session_id=request.session_id):
            try:
                answer = await assistant(request.message)
            except OpenAIError as error:
                raise HTTPException(503, f"the model does not answer: {error}") from error
        return {"session_id": request.session_id, "answer": answer}

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="The assistant as a web service.")
    parser.add_argument("--host", default="127.0.0.1", help="0.0.0.0 in a container")
    parser.add_argument("--port", type=int, default=8124)
    parser.add_argument("--idle-s", type=float, default=SESSION_IDLE_S, help="ends a session")
    parser.add_argument("--watch-every-s", type=float, default=WATCH_EVERY_S)
    options = parser.parse_args()
    app = build_app(options.idle_s, options.watch_every_s)
    uvicorn.run(
        app, host=options.host, port=options.port, log_level="warning",
        timeout_graceful_shutdown=2,  # the log then shows which work was cut off
    )  # fmt: skip


if __name__ == "__main__":
    main()
