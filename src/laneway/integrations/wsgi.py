"""WSGI middleware (Flask, Django, any other): chat requests and their answers as events.

app.wsgi_app = LanewayMiddleware(app.wsgi_app, agent="MainAgent", routes=["/chat"])
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from laneway.integrations.exchange import Exchange, Middleware, Route

Environ = dict[str, Any]
WSGIApp = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

__all__ = ["LanewayMiddleware", "Route"]


class LanewayMiddleware(Middleware[WSGIApp]):
    """Records the requests that one of ``routes`` matches, in the lane of ``agent``."""

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        route = self.choose(path, method, environ)
        if route is None:
            return self.app(environ, start_response)
        exchange = Exchange(route, self._agent, path, method, headers_of(environ))
        environ["wsgi.input"] = _Input(environ["wsgi.input"], exchange)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            exchange.status = int(status.split(" ", 1)[0])
            for name, value in headers:
                if name.lower() == "content-type":
                    exchange.answer_type = value
                elif name.lower() == "content-encoding":
                    exchange.answer_encoding = value.lower()
            return start_response(status, headers, *rest)

        try:
            return _Answer(self.app(environ, start), exchange)
        except BaseException as error:
            exchange.ended(error)
            raise
        finally:
            exchange.leave()


def headers_of(environ: Environ) -> dict[str, str]:
    found = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return {**found, "content-type": environ.get("CONTENT_TYPE") or ""}


class _Input:
    """The request's body; what the application reads is copied."""

    def __init__(self, body: Any, exchange: Exchange) -> None:
        self._body = body
        self._exchange = exchange

    def read(self, *size: int) -> bytes:
        return self._note(self._body.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._note(self._body.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        return [self._note(line) for line in self._body.readlines(*hint)]

    def __iter__(self) -> Iterator[bytes]:
        return map(self._note, self._body)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def _note(self, data: bytes) -> bytes:
        self._exchange.request.add(data)
        return data


class _Answer:
    """The answer's parts, each copied when it is on its way."""

    def __init__(self, parts: Iterable[bytes], exchange: Exchange) -> None:
        self._parts = parts
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        self._exchange.enter()  # a generator of the application works while it is asked
        try:
            for part in self._parts:
                yield part
                self._exchange.answer.add(part)
            self._exchange.ended()
        except GeneratorExit:
            raise
        except BaseException as error:
            self._exchange.ended(error)
            raise
        finally:
            self._exchange.leave()

    def close(self) -> None:
        """Called by the server in any case; an answer that has not ended by now was cut."""
        try:
            if hasattr(self._parts, "close"):
                self._parts.close()
        finally:
            self._exchange.ended(disconnected=True)
            self._exchange.leave()
