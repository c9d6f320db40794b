# subprocess.Popen + wait of /bin/true: the same as spawn.c, for Python.
import json
import subprocess
import sys
import time

kept = b"\1" * (int(sys.argv[1]) * 1024)
print("ready", flush=True)
for line in sys.stdin:
    times = []
    for _ in range(int(line)):
        started = time.perf_counter()
        if subprocess.Popen(["/bin/true"]).wait() != 0:
            raise SystemExit("true has failed")
        times.append((time.perf_counter() - started) * 1e6)
    print(json.dumps(times), flush=True)
