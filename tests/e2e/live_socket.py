"""The page's socket, with a test between it and the hub."""

import json
import time

from playwright.sync_api import Page, WebSocketRoute

LIVE = "**/logs/ws?history=*"


def hold_beats(page: Page) -> list[WebSocketRoute]:
    """From the next connection on all but the hub's own beats arrives: they would say that it is level. The
    connections, as they come."""
    routes: list[WebSocketRoute] = []

    def pass_on(route: WebSocketRoute) -> None:
        routes.append(route)
        route.connect_to_server().on_message(
            lambda message: None if '"type":"beat"' in str(message) else route.send(message)
        )

    page.route_web_socket(LIVE, pass_on)
    return routes


def beat(lag_bytes: int) -> str:
    return json.dumps({"type": "beat", "now": time.time() * 1000, "seq": 1, "lag_bytes": lag_bytes})
