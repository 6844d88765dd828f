"""Studio: a page on this machine to see, hear, steer and use a face. Its door for sound and pictures is `vivant.web`'s."""
