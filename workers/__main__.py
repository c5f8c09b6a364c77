"""`python -m workers`: one worker process; settings from the environment (`BANYAN_...`)."""

from __future__ import annotations

import sys
from contextlib import closing

from pydantic import ValidationError

from banyan.adapters.destinations import Destinations
from banyan.adapters.live_file import check
from banyan.adapters.observing import Observing
from banyan.adapters.policy_file import listed
from banyan.errors import InvalidInput
from banyan.no_arguments import take_none
from banyan.settings import what_is_wrong
from banyan.telemetry import configure_logs
from workers.app import make_app
from workers.process import WorkerProcess
from workers.settings import WorkerSettings

EXIT_USAGE = 2


def main() -> None:
    """Run Celery's worker until SIGTERM; it then drains and hands its leases back."""
    take_none("python -m workers", "Runs nodes of trees, until SIGTERM comes.")
    try:
        settings = WorkerSettings()
    except ValidationError as error:
        sys.stderr.write(what_is_wrong(error))
        raise SystemExit(EXIT_USAGE) from None
    configure_logs(settings.log_level)
    try:
        policies = listed(settings, settings.traits)
        Destinations(settings.webhook_networks)
        check(settings)
        observing = Observing(settings, "worker")
    except InvalidInput as error:
        sys.stderr.write(f"{error}\n{error.hint}\n")
        raise SystemExit(EXIT_USAGE) from None
    with closing(observing):
        app = make_app(settings, WorkerProcess(settings, policies, observing))
        app.worker_main(
            [
                "worker",
                "--pool=threads",
                f"--concurrency={settings.threads}",
                f"--loglevel={settings.log_level}",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ]
        )


if __name__ == "__main__":
    main()
