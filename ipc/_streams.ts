import { DescriptorSink } from "./_descriptor_sink.ts";
import { DescriptorSource } from "./_descriptor_source.ts";
import { SMALL_READ } from "./_read_limit.ts";
import { StreamDescriptor } from "./_stream_descriptor.ts";

/** A stream over a descriptor, and what its owner can do with it from behind. */
export interface StreamHandle<Stream> {
  /** The stream. */
  readonly stream: Stream;
  /** Its descriptor. */
  readonly descriptor: StreamDescriptor;
  /** Closes both, though the stream may be locked. */
  end(): Promise<void>;
}

/** A stream that reads the descriptor. */
export function openReadable(
  fd: number,
  autoClose = true,
  chunkSize = SMALL_READ,
): StreamHandle<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const descriptor = new StreamDescriptor(fd, "read", autoClose);
  const source = new DescriptorSource(descriptor, chunkSize);
  return {
    stream: new ReadableStream(source, { highWaterMark: 0 }),
    descriptor,
    end: () => source.end(),
  };
}

/** A stream that writes to the descriptor. */
export function openWritable(
  fd: number,
  autoClose = true,
): StreamHandle<WritableStream<Uint8Array>> {
  const descriptor = new StreamDescriptor(fd, "write", autoClose);
  const sink = new DescriptorSink(descriptor);
  return {
    stream: new WritableStream(sink),
    descriptor,
    end: () => sink.end(),
  };
}
