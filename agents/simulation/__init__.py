"""A day of a hall on a virtual clock: the real policies and the real dispatcher against a written demand."""
