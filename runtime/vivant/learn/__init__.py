"""Learning what is one person's own: a finish from a film of them, for which torch trains, and a manner from captured motion, for which
it does not."""

from vivant.learn.learning import Learnt as Learnt
from vivant.learn.learning import learn as learn
