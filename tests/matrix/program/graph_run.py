import otel
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


def main() -> None:
    model = ChatOpenAI(base_url=f"{otel.MODEL_URL}/v1", api_key="none", model=otel.MODEL)
    worker = create_agent(model, [tool(otel.calculate)], name="worker")

    @tool
    def coder(task: str) -> str:
        """Give a task to the coder."""
        return worker.invoke({"messages": [("user", task)]})["messages"][-1].content

    planner = create_agent(model, [coder], name="planner")
    config = {
        "configurable": {"thread_id": "conversation-7"},
        "metadata": {"thread_id": "conversation-7"},
    }
    planner.invoke({"messages": [("user", otel.QUESTION)]}, config)
