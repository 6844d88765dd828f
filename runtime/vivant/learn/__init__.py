"""Learning what is one person's own: a finish, by torch (extra ``learn``), and a manner, without."""

from vivant.learn.learning import Learnt as Learnt
from vivant.learn.learning import learn as learn
