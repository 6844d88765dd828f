"""Logs as one JSON object per line: when, what, and figures of a call. Never speech, pictures, portraits or who called."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def is_news(record: logging.LogRecord) -> bool:
    """gRPC calls it an error of the server when a client hangs up, and tells closed event loops of its events."""
    error = record.exc_info[1] if record.exc_info else None
    hung_up = isinstance(error, asyncio.CancelledError) and record.name.startswith("grpc")
    too_late = isinstance(error, RuntimeError) and "PollerCompletionQueue" in record.getMessage()
    return not (hung_up or too_late)


class JsonFormatter(logging.Formatter):
    """Whatever was given as ``extra`` becomes a field of its own."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_to_stderr() -> None:
    """For a server's process: what ``vivant`` and its libraries have to say, from information upwards."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(is_news)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
