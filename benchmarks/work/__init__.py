"""What runs inside the fresh processes.

A contender is a module (`floor`, `ours`, one in `benchmarks.peers` a tracker) with these functions, each run in a
process and a project folder of its own, which is the current folder. What stands under `with timed:` is timed.

    short(timed)                 20 short experiments one after another, each timed
    points(timed, rows, width)   log `rows` times `width` values; the process is then killed, nothing is finished
    count()                      how many of these rows are on disk
    make(count)                  write `count` finished experiments, untimed
    read()                       all experiments as rows (name, status, tags, params, metrics), best metric first

Imports stand inside the functions, so that a cold read does not pay for what only writing needs.
"""
