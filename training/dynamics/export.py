"""Writes what ships: ``python -m training.dynamics.export --run DATA/run --out runtime/vivant/weights/dynamics.npz``"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.dynamics.network import DynamicsNetwork
from vivant.motion.learned.network import COLOUR_SHAPES


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    model = DynamicsNetwork()
    model.load_state_dict(torch.load(args.run / "dynamics.pt", map_location="cpu", weights_only=True)["mean"])
    with np.load(args.run / "colour.npz", allow_pickle=False) as file:
        colour = {name: file[name] for name in COLOUR_SHAPES}
    arrays = model.exported()
    with args.out.open("wb") as out:
        half: dict[str, Any] = {name: array.astype(np.float16) for name, array in arrays.items()}
        np.savez_compressed(out, **half, **colour)
    print(f"{sum(array.size for array in arrays.values()) / 1e6:.2f} million weights, {args.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
