# The same as _memory_program.ts for Python, whose table is as many bytes as its memory has grown by.
import json
import os
import signal
import sys
import time

WORKERS = 10
LOOK_UPS = 1000


def bytes_of(pid, field):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        line = next(line for line in file if line.startswith(field + ":"))
    return int(line.split()[1]) * 1024


def fork(body):
    pid = os.fork()
    if pid == 0:
        body()
        time.sleep(60)
        os._exit(0)
    return pid


def look_up(key):
    row = table[key % len(table)]
    assert row["name"] == f"row {row['id']}"


def measure(pids, body):
    time.sleep(1)
    result = body()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return result


def idle():
    pid = fork(lambda: None)
    return measure([pid], lambda: bytes_of(pid, "Private_Dirty"))


def workers():
    pids = [
        fork(lambda: [look_up(i + query * 17) for query in range(LOOK_UPS)])
        for i in range(WORKERS)
    ]

    def shares():
        together = sum(bytes_of(pid, "Pss") for pid in pids)
        return {"table": size, "workers": together, "all": together + bytes_of("self", "Pss")}

    return measure(pids, shares)


table = []
empty = bytes_of("self", "Rss")
while (size := bytes_of("self", "Rss") - empty) < int(sys.argv[1]) * 1_000_000:
    for _ in range(5000):
        row = len(table)
        table.append({"id": row, "name": f"row {row}", "values": [row, row / 2, row / 3]})
print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps({"idle": idle, "workers": workers}[line.strip()]()), flush=True)
