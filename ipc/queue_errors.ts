/** What a put into a {@linkcode Queue} throws that found no room in time. Nothing of the item was sent. */
export class QueueFull extends Error {
  /** The class's name. */
  override readonly name = "QueueFull";

  /** Makes the error. */
  constructor(message = "Cannot put as the queue is full") {
    super(message);
  }
}

/** What a get from a {@linkcode Queue} throws that found no item in time. */
export class QueueEmpty extends Error {
  /** The class's name. */
  override readonly name = "QueueEmpty";

  /** Makes the error. */
  constructor(message = "Cannot get as the queue is empty") {
    super(message);
  }
}

/** What a put into a closed {@linkcode Queue} throws, and a get once the last item is taken. */
export class QueueClosed extends Error {
  /** The class's name. */
  override readonly name = "QueueClosed";

  /** Makes the error. */
  constructor(message = "Cannot use the queue as it is closed") {
    super(message);
  }
}
