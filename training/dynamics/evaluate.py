"""What is learnt of each source: ``python -m training.dynamics.evaluate --run DATA/run --clips DATA/clips/*.npz``

On the ends of clips that were held out: the mean square of what is drawn, in units in which the forecast of each channel by
itself, without a network, has about one; and the cross entropy of jumps and blinks beside that of their mean rates.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from training.dynamics.network import DynamicsNetwork
from training.dynamics.train import Batch, Stretches, losses, sources_of


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--clips", type=Path, nargs="+", required=True)
    parser.add_argument("--stretches", type=int, default=32, help="of each source")
    args = parser.parse_args(argv)
    model = DynamicsNetwork()
    model.load_state_dict(torch.load(args.run / "dynamics.pt", map_location="cpu", weights_only=True)["mean"])
    for path, source in zip(args.clips, sources_of(args.clips, [], args.run), strict=True):
        torch.manual_seed(0)
        stretches = Stretches([source], 0, held_out=True)
        if not stretches:
            print(f"{path.stem}: too short to hold any out")
            continue
        batch = stretches.batch(args.stretches)
        with torch.no_grad():
            flow, events = (float(loss) for loss in losses(model, batch))
        print(f"{path.stem}: flow {flow:.3f} (forecast {forecast(batch):.3f}), events {events:.3f} ({rates(batch):.3f})")


def forecast(batch: Batch) -> float:
    """Mean square without a network."""
    return float((batch.mask * batch.drawn**2).sum() / batch.mask.sum())


def rates(batch: Batch) -> float:
    """Cross entropy of events by their mean rates; nan where none is learnt."""
    told = batch.events_mask.sum((0, 1))
    rate = ((batch.events * batch.events_mask).sum((0, 1)) / told).clamp(1e-4, 1 - 1e-4)
    entropy = -(batch.events * rate.log() + (1 - batch.events) * (1 - rate).log())
    return float((torch.nan_to_num(entropy) * batch.events_mask).sum() / told.sum())


if __name__ == "__main__":
    main()
