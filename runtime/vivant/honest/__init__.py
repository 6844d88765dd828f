"""Deprecated: `vivant.provenance` under its name before 0.2, module by module. To go in 0.3."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

_RENAMED = {
    "code": "watermark_code",
    "detect": "watermark_detector",
    "finisher": "disclosure",
    "produce": "production",
}


class _OldNames(MetaPathFinder, Loader):
    """``vivant.honest.x`` is the same module object as its successor, so that whoever patches one patches the other."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.startswith(f"{__name__}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        old = spec.name.removeprefix(f"{__name__}.")
        module = import_module(f"vivant.provenance.{_RENAMED.get(old, old)}")
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec  # the import has put its own there


sys.meta_path.append(_OldNames())
