"""In the Python path of `cpc dev`: its daemon looks at backfills every second, not every 30."""

import sys

if "dagster._daemon" in sys.orig_argv:
    from dagster._daemon import controller

    controller.DEFAULT_DAEMON_INTERVAL_SECONDS = 1
