"""An MCP server over streamable HTTP, by the official SDK. Argument: the port."""

import sys

from mcp.server import MCPServer
from mcp.server.mcpserver import Context

server = MCPServer("sums")


@server.tool()
async def add(a: int, b: int, context: Context) -> int:
    """Adds, and tells how far it is."""
    await context.report_progress(1, 2)
    return a + b


@server.tool()
def fail() -> str:
    """Never works."""
    raise ValueError("no sum")


if __name__ == "__main__":
    server.run(transport="streamable-http", port=int(sys.argv[1]), host="127.0.0.1")
