"""A start that waits for what an earlier, killed run left behind can be stopped."""

import os
import signal
from pathlib import Path

from services.local.processes import is_alive
from tests.services.local.houses import HouseProcess, until


def test_a_start_that_waits_for_a_server_that_does_not_end_stops_when_asked(tmp_path: Path) -> None:
    house = HouseProcess(tmp_path / "data").start("loop").ready()
    assert house.process is not None
    server = house.pids["postgres"]
    os.kill(server, signal.SIGSTOP)
    try:
        house.process.kill()
        house.process.wait()
        house.start("loop")
        until(lambda: "Waiting for the PostgreSQL of an earlier run" in house.said, 60)

        assert house.stop() == 0
    finally:
        os.kill(server, signal.SIGCONT)
        os.kill(server, signal.SIGINT)
    until(lambda: not is_alive(server), 60)
