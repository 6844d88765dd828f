"""Finish: a small learned network that paints over the rig what the rig does worst, inside lips and lids and nowhere else."""

from vivant.finish.network import Finish as Finish
