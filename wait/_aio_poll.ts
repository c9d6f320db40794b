import { onForkedChild } from "../ffi/_after_fork.ts";
import { addressOf } from "../ffi/_arguments.ts";
import { checkZero } from "../ffi/_libc.ts";
import { bellSymbols } from "../ffi/_symbols.ts";
import {
  IOCB_CMD_POLL,
  IOCB_FLAG_RESFD,
  POLLIN,
  SYS_io_cancel,
  SYS_io_getevents,
  SYS_io_setup,
  SYS_io_submit,
} from "../ffi/constants.ts";
import { IO_EVENT, IOCB } from "../ffi/layouts.ts";

/** How many polls at least may be under way at once; the kernel allows some more. */
const REQUESTS = 32;

/** How many are taken up at once that are over. */
const OVER = 16;

/** How often in a row the kernel is not asked which one is over, where that is plain. */
const UNASKED = 8;

/** Where a request has its number, and what is told of its end has it again. */
const NUMBER = 0;

const SUBMIT = BigInt(SYS_io_submit);
const CANCEL = BigInt(SYS_io_cancel);
const GET_EVENTS = BigInt(SYS_io_getevents);

/** A `struct iocb`, whose address stands for the request while that is under way. */
interface Block {
  readonly view: DataView<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly address: BigUint64Array<ArrayBuffer>;
}

// All explicitly allocated, and so outside the heap in which V8 moves things.
const over = new Uint8Array(new ArrayBuffer(OVER * IO_EVENT.size));
const overView = new DataView(over.buffer);

let context = 0n;
let latest = 0;
let registered = false;
const running = new Map<number, Block>();
/** Those that are over, and that nobody has been told of. */
const ended: number[] = [];
/** How many are over of which the kernel has not been asked: it keeps them until then. */
let unasked = 0;
/** Whether nothing rings but what is waited for, as far as is known. */
let allAwaited = true;
const free: Block[] = [];

/** Makes ready for {@linkcode submitPoll}, once for the process: to give it up again takes the kernel milliseconds. */
export function setUpPolls(): void {
  if (context !== 0n) return;
  if (!registered) onForkedChild(forget, () => context !== 0n);
  registered = true;
  const created = new BigUint64Array(1);
  checkZero(
    bellSymbols().io_setup(BigInt(SYS_io_setup), REQUESTS, created),
    "io_setup",
    () => "Cannot watch descriptors",
  );
  context = created[0]!;
}

/** In a forked child, to whom nothing of it belongs. */
function forget(): void {
  context = 0n;
  free.push(...running.values());
  running.clear();
  ended.length = 0;
}

/**
 * Has the kernel add 1 to an eventfd as soon as a descriptor can be read, or has an error or its end: a poll by `io_submit(2)`,
 * which no thread waits for. Gives its number, or 0 where the descriptor cannot be polled so.
 *
 * Until it is over it holds what is behind the descriptor.
 */
export function submitPoll(fd: number, eventfd: number): number {
  const block = free.pop() ?? newBlock();
  const { view, address } = block;
  const number = ++latest;
  view.setUint32(NUMBER, number, true);
  view.setUint32(IOCB.fields.aio_fildes, fd, true);
  view.setUint32(IOCB.fields.aio_resfd, eventfd, true);
  const submit = () =>
    bellSymbols().io_submit(SUBMIT, context, 1n, address) === 1;
  if (!submit()) {
    // There may be no room for it, for all those that are over and have not been asked for.
    drain();
    if (!submit()) {
      free.push(block);
      return 0;
    }
  }
  running.set(number, block);
  return number;
}

/** Gives up a poll; twice without harm. */
export function cancelPoll(number: number): void {
  const block = running.get(number);
  if (block === undefined) return;
  bellSymbols().io_cancel(CANCEL, context, block.bytes, over);
  allAwaited = false;
  running.delete(number);
  free.push(block);
}

/**
 * The numbers of the polls that are over and were not given up. With `some` it is known that there is one: then where only one
 * is under way it need not be asked for.
 */
export function endedPolls(some: boolean): number[] {
  if (some && running.size === 1 && ended.length === 0 && allAwaited) {
    allAwaited = ++unasked < UNASKED;
    for (const number of running.keys()) end(number);
  } else drain();
  return ended.splice(0);
}

/** Asks the kernel which are over. */
function drain(): void {
  allAwaited = true;
  unasked = 0;
  const { io_getevents } = bellSymbols();
  for (let count = OVER; count === OVER;) {
    count = io_getevents(
      GET_EVENTS,
      context,
      0n,
      BigInt(OVER),
      over,
      0n,
    );
    for (let index = 0; index < count; index++) {
      end(overView.getUint32(index * IO_EVENT.size, true));
    }
  }
}

function end(number: number): void {
  const block = running.get(number);
  if (block === undefined) return;
  running.delete(number);
  free.push(block);
  ended.push(number);
}

function newBlock(): Block {
  const bytes = new Uint8Array(new ArrayBuffer(IOCB.size));
  const view = new DataView(bytes.buffer);
  const { fields } = IOCB;
  view.setUint16(fields.aio_lio_opcode, IOCB_CMD_POLL, true);
  view.setBigUint64(fields.aio_buf, BigInt(POLLIN), true);
  view.setUint32(fields.aio_flags, IOCB_FLAG_RESFD, true);
  const address = new BigUint64Array(new ArrayBuffer(8));
  address[0] = addressOf(bytes.buffer);
  return { bytes, view, address };
}
