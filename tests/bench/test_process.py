"""What processes use, and which belong together."""

import os
import subprocess
import sys

from bench.process import family, proportional_mib, resident_mib, session

CHILD = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'input()']); print(1, flush=True)"


def test_a_process_that_outlived_its_parent_is_found_by_its_session() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    ) as parent:
        assert parent.stdin
        assert parent.stdout
        parent.stdout.readline()
        parent.wait(180)
        assert len(session(parent.pid)) == 1


def test_a_family_has_the_children_of_its_children() -> None:
    child = "'print(1, flush=True); input()'"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child}])"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.readline()
        assert len(family(process.pid)) == 2
        assert process.stdin
        process.stdin.write(b"\n")


def test_a_shared_page_is_counted_in_part() -> None:
    assert 0 < proportional_mib(os.getpid()) <= resident_mib(os.getpid()) * 1.5
