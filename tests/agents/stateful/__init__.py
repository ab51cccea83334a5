"""A hall driven at random, with faults: what must hold after every step, whatever happens to the store.

``hall`` is who works there and what is asked for. ``owners`` models those who hold the sockets and judge.
``world`` carries out on one of ``stores`` what the rules of ``machine`` choose, and ``invariants`` looks.
"""
