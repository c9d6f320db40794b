# multiprocessing.Pool.map over a million tiny items, with the chunk size that is best here.
import multiprocessing
import sys
import time

ITEMS = list(range(1_000_000))
SIZES = (1_000, 5_000, 20_000, 100_000, 500_000)


def square(n):
    return n * n


def measure(pool, size):
    started = time.perf_counter()
    pool.map(square, ITEMS, size)
    return (time.perf_counter() - started) * 1e3


if __name__ == "__main__":
    with multiprocessing.Pool(int(sys.argv[1])) as pool:
        best = min(SIZES, key=lambda size: min(measure(pool, size) for _ in range(3)))
        print("ready", flush=True)
        for _ in sys.stdin:
            print(measure(pool, best), flush=True)
