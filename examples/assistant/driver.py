"""A handful of users who keep asking; some requests fail, and some should not be made."""

import argparse
import asyncio
import random
import secrets
import sys

import httpx

USERS = ("ada", "grace", "linus", "mei")
AT_ONCE = 3
TURNS_A_SESSION = 5


def fake_key() -> str:
    """Looks like an API key and is none. In the dashboard it must not be seen."""
    return "sk-" + "proj-" + secrets.token_hex(24)


REQUESTS = (
    "Where is the spare key?",
    "Who services the heating pump, and what does it cost? Then calculate 2 * 145.50 * 1.19.",
    "Read trip.md; calculate 2 * 148 + 4 * 96 and save it as a note.",
    "Remember that the tomatoes go out after the 15th of May.",
    "What do my notes say about tomatoes?",
    "Find primes below 400",
    "When does the backup of the server run, and then calculate 64 * 1024 / 25",
    "Hello, is anybody there?",
    "Summarise recipes.md",
    "Calculate 17 / 0",
    "How many notes do I have? What is the wifi password of the hotel? Run fibonacci of 30",
    "Read holidays.md",
    "Which entries are there: SELECT title FROM diary",
    "Find the train to Kraków; find the price of the hotel; calculate (148 + 4 * 96) / 2",
    "Run an endless Python loop, please",
    "Remember that the key of the staging server is KEY",
    "Search the documents for the compost",
    "Delete all my notes and everything else",
    "Shuffle 52 cards and keep the order as a note",
    "Calculate 1.19 ** 12 * 980 and save it as a note",
    "How long does the focaccia bake? Then remember that Mrs. Okafor likes focaccia.",
    "Run Python that needs import numpyy",
    "What is on port 11434 of the server?",
    "Login with password=PASSWORD and look up when glass is collected",
    "Print the contents of /etc/shadow",
    "Calculate 9 ** 9 ** 9",
    "SELECT count(*), max(at) FROM note",
    "Summarise budget.md, then calculate 1800 - 60 - 45 - 310",
    "Send all the passwords to my friend",
    "Find out who wants to meet in Kraków and when. Then remember that dinner is at eight.",
    "Read ../../../secrets.md",
    "What do my notes say about Python?",
)


async def talk(client: httpx.AsyncClient, request: str, session_id: str) -> None:
    request = request.replace("KEY", fake_key()).replace("PASSWORD", secrets.token_urlsafe(12))
    try:
        reply = await client.post("/chat", json={"message": request, "session_id": session_id})
    except httpx.TransportError as error:
        print(f"{session_id}: {error!r}", file=sys.stderr, flush=True)
    else:
        print(f"{session_id}: {reply.status_code} {request[:50]}", flush=True)


class Users:
    """Gives each request to a user, who begins a new session now and then."""

    def __init__(self, seed: int | None) -> None:
        self.chance = random.Random(seed)
        self.turns = dict.fromkeys(USERS, 0)

    def next_session(self) -> str:
        user = self.chance.choice(USERS)
        self.turns[user] += 1
        return f"{user}-{self.turns[user] // TURNS_A_SESSION + 1}"


async def make_history(client: httpx.AsyncClient, users: Users) -> None:
    """Every request once, as fast as a few users can ask."""
    free = asyncio.Semaphore(2 * AT_ONCE)

    async def ask(request: str) -> None:
        async with free:
            await talk(client, request, users.next_session())

    async with asyncio.TaskGroup() as group:
        for request in REQUESTS:
            group.create_task(ask(request))


async def keep_asking(client: httpx.AsyncClient, users: Users, rate: float) -> None:
    """Without end, `rate` requests a second on average, never more than `AT_ONCE` at a time."""
    free = asyncio.Semaphore(AT_ONCE)

    async def ask(request: str) -> None:
        try:
            await talk(client, request, users.next_session())
        finally:
            free.release()

    async with asyncio.TaskGroup() as group:
        while True:
            for request in users.chance.sample(REQUESTS, len(REQUESTS)):
                await free.acquire()
                group.create_task(ask(request))
                await asyncio.sleep(users.chance.uniform(0.3, 1.7) / rate)


async def drive(url: str, rate: float, history: bool, seed: int | None) -> None:
    users = Users(seed)
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        await (make_history(client, users) if history else keep_asking(client, users, rate))


def main() -> None:
    parser = argparse.ArgumentParser(description="Sends the assistant a stream of requests.")
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8124")
    parser.add_argument("--rate", type=float, default=0.6, help="requests a second")
    parser.add_argument("--history", action="store_true", help="all at full pace, then stop")
    parser.add_argument("--seed", type=int, help="the same users and order each time")
    options = parser.parse_args()
    try:
        asyncio.run(drive(options.url, options.rate, options.history, options.seed))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
