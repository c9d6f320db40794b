# The same as mutex.c for Python: multiprocessing.Lock alone, and multiprocessing.Value under its lock by two processes.
import multiprocessing
import sys
import time


def count(value, ready, rounds):
    with ready.get_lock():
        ready.value += 1
    while ready.value < 2:
        pass
    start = time.perf_counter()
    for _ in range(rounds):
        with value.get_lock():
            value.value += 1
    return start


def alone(rounds):
    lock = multiprocessing.get_context("fork").Lock()
    start = time.perf_counter()
    for _ in range(rounds):
        with lock:
            pass
    return (time.perf_counter() - start) / rounds


def two(rounds):
    context = multiprocessing.get_context("fork")
    value, ready = context.Value("i", 0), context.Value("i", 0)
    peer = context.Process(target=count, args=(value, ready, rounds))
    peer.start()
    start = count(value, ready, rounds)
    peer.join()
    elapsed = time.perf_counter() - start
    if value.value != 2 * rounds:
        raise SystemExit(f"Counted {value.value}")
    return elapsed / (2 * rounds)


if __name__ == "__main__":
    print((two if sys.argv[1] == "two" else alone)(int(sys.argv[2])) * 1e9)
