"""Many submissions become grades: the examiner's processes, the kernels they are lent, and what is believed of them.

coordinator ──task──▶ examiner behind a wall of its own ──▶ outcome, read strictly ──▶ autograded/
     │                     │ lend me a kernel
     └──▶ kernel behind its wall ◀── its sockets, passed as descriptors
"""
