"""The media node beside Janus, under one generator. See __main__.py for how to run it.

    clip.py        the media of a call: real VP8 and Opus, encoded once
    generator.py   all callers of all calls: sends what is due, receives what comes, one thread
    calls.py       what a call is, and what was seen of it; the interface of a server
    ours.py        our node under its control messages (node.py: its process)
    janus.py       Debian's Janus
    process.py     a server's process: pinned, measured, ended
    recordings.py  do the files decode, is a frame missing?
    run.py         a level, joins, a whole run
    report.py      the tables and the last line

``tests.media.caller`` is the WebRTC client of all of it.
"""
