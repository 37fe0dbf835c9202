"""Batches beyond one machine: one submission in, one result out, wherever it is graded.

    Work ── parcel.py ──▶ bytes ── cluster.py (dask.distributed, TLS) ──▶ a worker's plugin.py ── grader.py
                                                                              │ files and a pipe
    autograded/ ◀── outcome.py ◀── bytes ◀────────────────────────────── host.py: pool.Pool

``dispatch.py`` decides who gets what, and what becomes of work whose machine goes away. The scheduler and the workers
are trusted with exams and hidden data; they never see the course folder, and nothing that a student wrote is opened in
a process that talks to the network.
"""
