"""More than one machine, over Ray: live faces behind a gateway, and tables of dialogue. Needs the extra ``cluster``."""

from __future__ import annotations

import os

from vivant.loopback import host_of, is_loopback

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # reports about this machine to Ray's makers
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # or Ray warns that it will change what it does of GPUs
if not (address := os.environ.get("RAY_ADDRESS")) or is_loopback(host_of(address)):
    # For what is started here: loopback (the name is of systems where Ray keeps to it anyway), a token, and no port with
    # figures. All of it is read when Ray is imported.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_enable_metrics_collection", "0")
