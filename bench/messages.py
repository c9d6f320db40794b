# Prints what a message between processes costs in microseconds.
#   messages.py Queue|SimpleQueue bytes|object|block COUNT PRODUCERS
#   messages.py Queue|SimpleQueue talk|doze COUNT
import multiprocessing
import statistics
import sys
import time

ITEMS = {
    "bytes": b"x" * 64,
    "object": {"id": 1, "name": "hello", "ok": True, "values": [1, 2, 3]},
    "block": b"x" * 65536,
}


def produce(queue, go, item, count):
    go.get()
    for _ in range(count):
        queue.put(item)


def answer(there, back, count):
    for _ in range(count):
        back.put(there.get())


def stream(make, kind, count, producers):
    queue, go = make(), make()
    share = count // producers
    children = [
        multiprocessing.Process(target=produce, args=(queue, go, ITEMS[kind], share))
        for _ in range(producers)
    ]
    for child in children:
        child.start()
    start = time.perf_counter()
    for _ in children:
        go.put(1)
    for _ in range(share * producers):
        queue.get()
    took = time.perf_counter() - start
    for child in children:
        child.join()
    return took * 1e6 / (share * producers)


def talk(make, count, pause):
    there, back = make(), make()
    child = multiprocessing.Process(target=answer, args=(there, back, count + 1))
    child.start()
    there.put(ITEMS["bytes"])
    back.get()
    times = []
    for _ in range(count):
        if pause:
            time.sleep(0.001)
        start = time.perf_counter()
        there.put(ITEMS["bytes"])
        back.get()
        times.append(time.perf_counter() - start)
    child.join()
    return statistics.median(times) * 1e6


multiprocessing.set_start_method("fork")
make = getattr(multiprocessing, sys.argv[1])
if sys.argv[2] in ITEMS:
    print(stream(make, sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
else:
    print(talk(make, int(sys.argv[3]), sys.argv[2] == "doze"))
