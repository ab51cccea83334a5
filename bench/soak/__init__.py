"""Does the media node keep what it should have let go? See __main__.py for how to run it.

node.py      the node's process, which says on a signal how much of everything it has
samples.py   what was counted when; growth, tables, the verdict
in_step.py   how far sound and picture are apart at the end of a recording
run.py       many short calls, one long call
"""
