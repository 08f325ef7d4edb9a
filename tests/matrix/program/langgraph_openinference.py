import graph_run
from openinference.instrumentation.langchain import LangChainInstrumentor

LangChainInstrumentor().instrument()
graph_run.main()
