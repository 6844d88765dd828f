"""How faces of people differ at the 478 points: ``python -m training.fields.identity --assets HEADS --out identity.npz``"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vivant.rig import canonical as c

TIE = Path(__file__).parents[1] / "synthetic_faces" / "data" / "landmarks.npz"
N_MODES = 30
"""The first ones; the others move no point by a hundredth of the outer-eye distance."""


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, required=True, help="folder of the head assets")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args(argv)
    with np.load(args.assets / "ict_facekit.npz", allow_pickle=False) as head, np.load(TIE, allow_pickle=False) as tie:
        moved = head["identity_modes"][:N_MODES].astype(np.float32)[:, tie["vertices"]]
        modes = (moved * tie["weights"][None, ..., None]).sum(axis=2) / c.canonical_face().cm_per_unit
    modes -= 0.5 * (modes[:, c.RIGHT_OUTER_EYE] + modes[:, c.LEFT_OUTER_EYE])[:, None]  # the frame's origin lies there
    np.savez_compressed(args.out, modes=modes.astype(np.float16))


if __name__ == "__main__":
    main()
