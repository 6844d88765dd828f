"""Learning a personal finish from a film of somebody (extra ``learn``: torch, imported where it trains and nowhere else)."""

from vivant.learn.learning import Learnt as Learnt
from vivant.learn.learning import learn as learn
