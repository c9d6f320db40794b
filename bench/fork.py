# os.fork + os._exit + os.waitpid: the same as fork.c, for Python.
import json
import os
import sys
import time


def resident():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def round_trip():
    start = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    forked = time.perf_counter() - start
    status = os.waitpid(pid, 0)[1]
    reaped = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"A child ended with {status}")
    return forked * 1e6, reaped * 1e6


kept = []
while resident() < int(sys.argv[1]):
    kept.append(bytearray(b"\1") * (1 << 16))
print(json.dumps({"resident": resident()}), flush=True)
for line in sys.stdin:
    times = [round_trip() for _ in range(int(line))]
    print(json.dumps({"times": times, "resident": resident()}), flush=True)
