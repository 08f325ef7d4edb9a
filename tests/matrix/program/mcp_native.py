import asyncio
import os
import sys

import otel
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

SERVER = """
import otel
from mcp.server import MCPServer
server = MCPServer("sums")
@server.tool()
def calculate(expression: str) -> str:
    return str(eval(expression))
server.run()
"""


async def main() -> None:
    server = StdioServerParameters(
        command=sys.executable, args=["-c", SERVER], env=dict(os.environ)
    )
    with otel.trace.get_tracer("run").start_as_current_span("run"):
        async with stdio_client(server) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            await session.call_tool("calculate", {"expression": "6 * 7"})


asyncio.run(main())
