/**
 * Prints what it costs in nanoseconds that two processes count under one mutex, so many times each (argument 2): a parent and its
 * "forked" child, or two programs that meet under a name ("named").
 */
import { Mutex, SharedMemory, SharedValue } from "../ipc/mod.ts";
import { _exit, fork } from "../process/mod.ts";
import { waitpid } from "../wait/mod.ts";

const [kind, argument, name] = Deno.args;
const rounds = Number(argument);
const WARM_UP = 200_000;

if (kind === "forked") {
  await measure(SharedMemory.anonymous(4096), () => {
    const pid = fork();
    return pid === 0 ? null : () => void waitpid(pid);
  });
} else if (kind === "named") {
  const name = `bench-${crypto.randomUUID()}`;
  const memory = SharedMemory.open(name, { create: true, bytes: 4096 });
  await measure(memory, () => {
    const args = ["run", "-A", "--quiet", import.meta.filename!];
    const peer = new Deno.Command(Deno.execPath(), {
      args: [...args, "peer", String(rounds), name],
    }).spawn();
    return () => peer.status;
  });
  memory.unlink();
} else {
  await measure(SharedMemory.open(name!), () => null);
}

/** Counts beside a peer that `start` starts; it gives how to wait for that, or `null` to the peer itself. */
async function measure(
  memory: SharedMemory,
  start: () => (() => unknown) | null,
): Promise<void> {
  const mutex = new Mutex({ memory });
  const ready = new SharedValue("int32", undefined, { memory, offset: 128 });
  const count = new SharedValue("int32", undefined, { memory, offset: 256 });
  const work = (counted: SharedValue<"int32">, rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const guard = mutex.acquire();
      try {
        counted.value++;
      } finally {
        guard.release();
      }
    }
  };
  work(new SharedValue("int32"), WARM_UP);
  const finish = start();
  ready.add(1);
  while (ready.value < 2);
  const started = performance.now();
  work(count, rounds);
  if (finish === null) _exit(0);
  await finish();
  const elapsed = performance.now() - started;
  if (count.value !== 2 * rounds) throw new Error(`Counted ${count.value}`);
  console.log(elapsed * 1e6 / (2 * rounds));
}
