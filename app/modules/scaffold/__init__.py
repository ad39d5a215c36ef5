"""New modules: a small working one from a name, inside this repository or as a distribution of its own."""
