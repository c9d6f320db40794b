# What pty.ts does, for Python, whose module `pty` this file must not hide: `module BYTES` with pty.spawn, `read BYTES SIZE`
# with pty.fork and os.read, `open ROUNDS`.
import os
import pty
import sys
import time

kind, amount = sys.argv[1], sys.argv[2]
head = ["head", "-c", amount, "/dev/zero"]
total = 0


def counted(fd):
    global total
    data = os.read(fd, 1024)  # as pty.spawn does by itself
    total += len(data)
    return data


def module():
    # It copies what it reads to standard output.
    copy = os.dup(1)
    os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
    start = time.perf_counter()
    pty.spawn(head, counted)
    elapsed = time.perf_counter() - start
    os.dup2(copy, 1)
    assert total == int(amount)
    return elapsed * 1e3


def read(size):
    start = time.perf_counter()
    pid, controller = pty.fork()
    if pid == 0:
        os.execvp(head[0], head)
    total = 0
    try:
        while data := os.read(controller, size):
            total += len(data)
    except OSError:
        pass
    os.waitpid(pid, 0)
    assert total == int(amount)
    return (time.perf_counter() - start) * 1e3


def open_all(rounds):
    start = time.perf_counter()
    for _ in range(rounds):
        controller, terminal = os.openpty()
        os.close(terminal)
        os.close(controller)
    return (time.perf_counter() - start) * 1e6 / rounds


if kind == "module":
    print(module())
elif kind == "read":
    print(read(int(sys.argv[3])))
else:
    print(open_all(int(amount)))
