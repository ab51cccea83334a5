"""Strangers and ill-behaved participants against the node's real process. See __main__.py for how to run it.

flood.py     a process of strangers: so many datagrams a second, of every kind that they might send
flooded.py   calls and joins under it: what is lost, what ends, what is kept
misdeeds.py  what a participant with a connection of its own may send
"""
