"""The pytest plugin as a project that has Laneway installed meets it: runs of pytest of their own."""

import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

AGENT = """
import subprocess, sys, threading
import laneway

laneway.configure(log_path="elsewhere", agent="app", pod="test")

@laneway.tool
def search(query):
    return ["a", "b"]

@laneway.tool
def write(path, text):
    if not text:
        raise ValueError("nothing to write")

@laneway.agent("writer")
def run(text="hello"):
    laneway.log_event(None, "user_message", "please write")
    search("tides")
    write("notes.md", text=text)
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    pytester.makepyfile(writing=AGENT)
    monkeypatch.delenv("LANEWAY_HOME")
    return pytester


def run(project: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return project.runpytest_subprocess(
        "-W", "error", "-p", "no:schemathesis", "-p", "no:asyncio", *arguments
    )


def test_a_test_asserts_what_its_agent_did(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import subprocess, sys, threading
        import pytest
        import laneway
        from writing import run

        def test_tools(events):
            run()
            assert events.tools == ["search", "write"]
            assert events.errors == []
            assert events.agents == ["writer"]
            assert events.kinds[1] == "user_message"
            assert [span.name for span in events.spans] == ["writer", "search", "write"]
            tools = [span for span in events.spans if span.kind == "tool"]
            assert {span.parent_span_id for span in tools} == {events.spans[0].span_id}
            assert tools[0].input == {"query": "tides"} and tools[0].output == ["a", "b"]
            assert tools[0].duration_ms >= 0 and not tools[0].is_open
            assert len(events.where(tool="search")) == 2
            assert events[0]["pod"] == "test" and len(events) == len(list(events))

        def test_errors(laneway_events):
            with pytest.raises(ValueError):
                run(text="")
            assert laneway_events.tools == ["search", "write"]
            assert [span.name for span in laneway_events.spans if span.has_failed] == ["writer", "write"]
            assert laneway_events.spans[2].error["type"] == "ValueError"

        def test_each_test_has_its_own_and_configure_does_not_lead_away(events):
            assert events == [] or len(events) == 0
            laneway.configure(log_path="elsewhere2", logging_url="http://127.0.0.1:9/log")
            laneway.log_event("a", "log", "x" * 600_000)
            assert events[0]["content"] == "x" * 600_000

        def test_threads_and_processes(events):
            thread = threading.Thread(target=run); thread.start(); thread.join()
            code = "import laneway; laneway.log_event('child', 'tool_result', tool='fetch')"
            subprocess.run([sys.executable, "-c", code], check=True)
            assert events.agents == ["writer", "child"]
            assert events.tools == ["search", "write", "fetch"]

        def test_work_that_goes_on_is_open(events):
            with laneway.span("think", kind="llm"):
                assert [span.is_open for span in events.spans] == [True]
            assert [span.is_open for span in events.spans] == [False]
        """
    )
    run(project).assert_outcomes(passed=5)
    assert not list(project.path.glob("elsewhere*"))


def test_what_was_configured_is_in_force_again_afterwards(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import os, laneway, writing
        def test_one(events):
            laneway.log_event("a", "log")
        def test_two():
            held = {"LANEWAY_HOME", "LANEWAY_LOG_PATH", "LANEWAY_LOGGING_URL", "LOG_PATH"}
            assert not held & set(os.environ)
            laneway.log_event("b", "log", "outside")
        """
    )
    run(project).assert_outcomes(passed=2)
    (segment,) = project.path.glob("elsewhere/*-0*.jsonl")
    assert segment.read_text().count("\n") == 1
    assert "outside" in segment.read_text()


FAILING = """
    import laneway
    from writing import run
    def test_it(events):
        run()
        laneway.log_event("planner", "error", error={"type": "E", "message": "out of \\x1b[2J luck"})
        assert events.tools == ["read"]
    def test_nothing(events):
        assert events.tools == ["read"]
    def test_without():
        assert False
"""


def test_the_events_of_a_failed_test_are_told_and_saved(project: pytest.Pytester) -> None:
    project.makepyfile(test_agents=FAILING)
    result = run(project)
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: assert *",
            "*- Laneway events -*",
            "* ms   writer*tool_invocation*search*tides*",
            r"* ms ✗ planner*error*out of \x1b[[]2J luck*",
            "*8 events, saved in *",
            "laneway up --log *",
            "*- Laneway events -*",
            "none were recorded",
        ]
    )
    assert "\x1b" not in result.stdout.str()
    assert result.stdout.str().count("Laneway events") == 2
    place = Path(
        next(line.rpartition("--log ")[2] for line in result.outlines if "up --log" in line)
    )
    assert place.parent == project.path / ".pytest_cache" / "d" / "laneway"
    asked = project.run(
        sys.executable, "-m", "laneway", "query", "--log", str(place), "tool:search"
    )
    asked.stdout.fnmatch_lines(["*search*tides*"])
    run(project)
    assert len(list(place.parent.iterdir())) == 1  # the second run took the place of the first


def test_it_is_saved_without_a_cache_as_well(project: pytest.Pytester) -> None:
    project.makepyfile(test_agents=FAILING)
    run(project, "-p", "no:cacheprovider").stdout.fnmatch_lines(
        ["*8 events, saved in *laneway-tests*"]
    )


def test_a_project_with_fixtures_of_these_names_keeps_them(project: pytest.Pytester) -> None:
    project.makeconftest("import pytest\n@pytest.fixture\ndef events():\n    return [1, 2]\n")
    project.makepyfile("def test_own(events):\n    assert events == [1, 2]\n")
    run(project).assert_outcomes(passed=1)


def test_a_run_that_does_not_want_it_loads_next_to_nothing(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        import sys
        def test_loaded(request):
            loaded = {name for name in sys.modules if name.partition(".")[0] in ("laneway", "orjson")}
            assert loaded == {"laneway", "laneway.testing", "laneway.testing.plugin"}
            assert not request.config.pluginmanager.has_plugin("laneway-report")
            hooks = request.config.pluginmanager.get_hookcallers(sys.modules["laneway.testing.plugin"])
            assert not hooks
        """
    )
    run(project).assert_outcomes(passed=1)
    assert not list(project.path.glob("**/*.jsonl"))
