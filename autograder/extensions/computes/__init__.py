"""A network compared with another one as a computation: the same drawn weights must give the same outputs."""
