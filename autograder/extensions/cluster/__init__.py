"""Batches beyond one machine: one submission in, one result out, wherever it is graded.

    Work ── parcel.py ──▶ bytes ── cluster (dask.distributed, TLS) ──▶ a worker's plugin.py ── grader.py
                                                                              │ files and a pipe
    autograded/ ◀── outcome.py ◀── bytes ◀────────────────────────────── host.py: pool.Pool

``dispatch.py`` assigns submissions to machines, and assigns them again when a machine goes away. The scheduler and the
workers are trusted with exams and hidden data, and never see the course folder. No file of a student is opened in a
process that talks to the network.
"""
