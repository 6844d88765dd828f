"""Avatar tools: motion receivers for other programs' faces, by the protocols that these programs listen to."""
