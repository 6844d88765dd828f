"""The threads that sessions share."""

from __future__ import annotations

import os
import sys

import pytest

from vivant.cores import n_cores, session_threads

pytestmark = pytest.mark.unit


def test_sessions_share_a_thread_for_each_core() -> None:
    threads = session_threads()
    assert session_threads() is threads
    list(threads.map(abs, range(100)))
    assert 1 <= len(threads._threads) <= n_cores()


@pytest.mark.skipif(sys.platform == "win32", reason="no fork there")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")  # from Python 3.12 on; so it is here
def test_a_forked_child_has_threads_of_its_own() -> None:
    session_threads().submit(int).result()
    if (child := os.fork()) == 0:
        try:
            os._exit(session_threads().submit(int, 7).result(timeout=10))
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
