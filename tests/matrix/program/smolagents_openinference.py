import otel
from openinference.instrumentation.smolagents import SmolagentsInstrumentor
from smolagents import OpenAIServerModel, ToolCallingAgent, tool

SmolagentsInstrumentor().instrument()


@tool
def calculate(expression: str) -> str:
    """Work out an arithmetic expression.

    Args:
        expression: the expression
    """
    return otel.calculate(expression)


model = OpenAIServerModel(otel.MODEL, api_base=f"{otel.MODEL_URL}/v1", api_key="none")
ToolCallingAgent([calculate], model, name="worker", description="works", max_steps=2).run(
    otel.QUESTION
)
