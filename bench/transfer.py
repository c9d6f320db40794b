# Prints what _transfer_program.ts does, for Python.
#   transfer.py stream|talk COUNT [THERE BACK]
import os
import statistics
import sys
import time

# As many blocks or round trips go before those that are measured.
WARM_UP = 2000
BLOCK = b"\1" * 65536
MESSAGE = b"\1" * 64


# Gives how to take either end of a pipe, or of a FIFO, after the fork.
def connect(path):
    if path is not None:
        return lambda: os.open(path, os.O_RDONLY), lambda: os.open(path, os.O_WRONLY)
    readable, writable = os.pipe()

    def reader():
        os.close(writable)
        return readable

    def writer():
        os.close(readable)
        return writable

    return reader, writer


def send(writer, data):
    if os.write(writer, data) != len(data):
        raise SystemExit("short write")


def receive(reader, size):
    while size > 0:
        data = os.read(reader, min(size, len(BLOCK)))
        if not data:
            raise SystemExit("the end comes too early")
        size -= len(data)


def stream(count, there, _back):
    take_reader, take_writer = connect(there)
    child = os.fork()
    if child == 0:
        writer = take_writer()
        for _ in range(WARM_UP + count):
            send(writer, BLOCK)
        os._exit(0)
    reader = take_reader()
    receive(reader, WARM_UP * len(BLOCK))
    started = time.perf_counter()
    receive(reader, count * len(BLOCK))
    took = time.perf_counter() - started
    os.waitpid(child, 0)
    return took * 1e3


def talk(count, there, back):
    requests, replies = connect(there), connect(back)
    child = os.fork()
    if child == 0:
        reader, writer = requests[0](), replies[1]()
        while data := os.read(reader, len(MESSAGE)):
            send(writer, data)
        os._exit(0)
    writer, reader = requests[1](), replies[0]()
    took = []
    for _ in range(WARM_UP + count):
        started = time.perf_counter()
        send(writer, MESSAGE)
        receive(reader, len(MESSAGE))
        took.append(time.perf_counter() - started)
    os.close(writer)
    os.waitpid(child, 0)
    return statistics.median(took[WARM_UP:]) * 1e6


mode, count, there, back = (sys.argv[1:] + [None, None])[:4]
print((stream if mode == "stream" else talk)(int(count), there, back))
