"""``laneway mcp``: the log as tools of an assistant."""

from laneway.base.errors import not_installed
from laneway.base.settings import resolve
from laneway.cli import option


def command(log: option.Log = None, host: option.Host = None, port: option.Port = None) -> None:
    """Serve the Model Context Protocol over stdio, so that an assistant can ask the log.

    With LOGGING_URL it asks that hub, by LANEWAY_TOKEN (scope read); else the hub of this log, or
    without one the index itself. Its tools read and change nothing. See docs/mcp.md.
    """
    settings = resolve({"log_path": log, "host": host, "port": port})
    try:
        from laneway.mcp.server import make_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "laneway":
            raise
        raise not_installed("this command", "the MCP SDK", "hub,mcp") from None
    make_server(settings).run("stdio")
