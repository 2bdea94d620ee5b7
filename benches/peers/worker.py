"""The protocol of a peer: a request a line on stdin, an answer a line on stdout (see ../measure/protocol.rs).

`python peer_NAME.py DIGITS THREADS CLOCK`: DIGITS holds the 60,000 training images of MNIST as bytes, then their labels.
"""

import os
import statistics
import sys
import time
import traceback

DIGITS, THREADS = sys.argv[1], int(sys.argv[2])
NOW = time.process_time if sys.argv[3] == "processor" else time.perf_counter
# Libraries that count the processors see as many as may work.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
# What libraries print goes to the log; answers have the pipe for themselves.
ANSWERS = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)


def digits():
    """The training images, `[60000, 28, 28]` bytes, and their labels."""
    import numpy as np

    data = np.fromfile(DIGITS, np.uint8).reshape(-1, 785)
    return np.ascontiguousarray(data[:, :784]).reshape(-1, 28, 28), data[:, 784].copy()


def batches(count, batch):
    """Endlessly, where the next batch of shuffled indices begins and ends."""
    while True:
        for start in range(0, count - batch + 1, batch):
            yield start, start + batch


def timed(work, calls):
    start = NOW()
    for _ in range(calls):
        work()
    return (NOW() - start) / calls


def samples(work, seconds):
    """Times of `work` for about that long, after a fifth of it to warm up; short work is called in groups."""
    once, begin = float("inf"), NOW()
    while NOW() - begin < seconds / 5:
        once = min(once, timed(work, 1))
    shortest = 2e-3 if NOW is time.process_time else 50e-6
    group, begin, times = max(1, round(shortest / once)), NOW(), []
    while NOW() - begin < seconds:
        times.append(timed(work, group))
    return times


def peak_memory():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def serve(version, make):
    """Answers requests with what `make(words)` gives: work to be called, an object with `samples(seconds)`, or None."""
    works = {}
    for line in sys.stdin:
        head, *words = line.split()
        if head == "forget":
            works.clear()
            continue
        if head == "version":
            answer = version
        elif head == "memory":
            answer = peak_memory()
        else:
            answer = measure(works, make, float(head), tuple(words))
        print(answer, file=ANSWERS, flush=True)


def measure(works, make, seconds, words):
    try:
        if words not in works:
            works[words] = make(list(words))
        work = works[words]
        if work is None:
            return "none"
        times = work.samples(seconds) if hasattr(work, "samples") else samples(work, seconds)
        return f"{min(times)} {statistics.median(times)}"
    except Exception:
        traceback.print_exc()
        return "none"
