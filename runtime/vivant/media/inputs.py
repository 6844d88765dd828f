"""What is wrong with an input file before anybody looks inside it; one place for these sentences."""

from __future__ import annotations

import stat
from pathlib import Path

from vivant.errors import InputError


def require_file(path: Path, noun: str) -> int:
    """Size in bytes of a readable, regular, non-empty file; ``noun`` says what it should hold ("image").

    Raises InputError with one sentence otherwise. Pipes and devices are refused: they could block or never end.
    """
    article = "an" if noun[0] in "aeiou" else "a"
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path} is a folder; give {article} {noun} file")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path} is not a regular file; give {article} {noun} file")
        if status.st_size == 0:
            raise InputError(f"{path} is empty (0 bytes); give {article} {noun} file with content")
        with path.open("rb"):  # a permission shows only when the file is opened
            return status.st_size
    except InputError:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(f"{path} does not exist; check the name of the {noun} file") from error
    except PermissionError as error:
        raise InputError(f"no permission to read {path}; change its permissions or copy it") from error
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise InputError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from error
