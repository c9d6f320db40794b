import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import Chromium from "npm:@sparticuz/chromium@153.0.0";
import { chromium } from "npm:playwright-core@1.65.1";

const root = fromFileUrl(new URL("../../", import.meta.url));

/** How long anything may take. */
const DEADLINE_MS = 20_000;

/** Checks that the example web-terminal lets nobody in without the token, speaks its protocol, and works in a browser. */
export async function webTerminalWorks(): Promise<string | undefined> {
  await using server = await Server.start();
  await refusesStrangers(server.url);
  await speaksToWebSockets(server.url);
  await worksInBrowser(server.url);
  return undefined;
}

/** The example, with the permissions of its task. */
class Server implements AsyncDisposable {
  readonly url: URL;
  readonly #process: Deno.ChildProcess;

  private constructor(process: Deno.ChildProcess, url: URL) {
    this.#process = process;
    this.url = url;
  }

  static async start(): Promise<Server> {
    const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
    const [deno, ...args] = tasks["example:web-terminal"].split(" ");
    assertEquals(deno, "deno");
    const process = new Deno.Command(Deno.execPath(), {
      args: [...args, "0", "sh"],
      cwd: root,
      env: { NO_COLOR: "1", PS1: "ready> ", ENV: "" },
      stdout: "piped",
    }).spawn();
    const reader = process.stdout.pipeThrough(new TextDecoderStream())
      .getReader();
    const { value } = await within(reader.read(), "the server starts");
    return new Server(process, new URL(value!.trim()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill();
    await this.#process.stdout.cancel().catch(() => {});
    await this.#process.status;
  }
}

async function refusesStrangers(url: URL): Promise<void> {
  for (
    const [path, status] of [
      ["/", 403],
      ["/shell", 403],
      ["/?token=guess", 403],
      [`/none${url.search}`, 404],
      [`/shell${url.search}`, 426],
      [url.href, 200],
    ] as const
  ) {
    const response = await fetch(new URL(path, url));
    const text = await response.text();
    assertEquals([path, response.status], [path, status]);
    assertEquals(text.includes("new Terminal()"), status === 200);
  }
  const stranger = new WebSocket(`ws://${url.host}/shell`);
  const { promise, resolve } = Promise.withResolvers<string>();
  stranger.onopen = () => resolve("let in");
  stranger.onerror = () => resolve("refused");
  assertEquals(await within(promise, "a stranger is refused"), "refused");
}

async function speaksToWebSockets(url: URL): Promise<void> {
  const socket = new WebSocket(`ws://${url.host}/shell${url.search}`);
  socket.binaryType = "arraybuffer";
  const decoder = new TextDecoder();
  let text = "";
  let news = Promise.withResolvers<void>();
  socket.onmessage = ({ data }) => {
    text += decoder.decode(data, { stream: true });
    news.resolve();
  };
  const until = (pattern: RegExp) =>
    within(
      (async () => {
        while (!pattern.test(text)) {
          await news.promise;
          news = Promise.withResolvers();
        }
      })(),
      `${pattern} in ${text}`,
    );
  const closed = Promise.withResolvers<CloseEvent>();
  socket.onclose = closed.resolve;
  await until(/ready> $/);
  socket.send("this is no size");
  socket.send(JSON.stringify({ columns: 99, rows: 33 }));
  const type = (line: string) =>
    socket.send(new TextEncoder().encode(`${line}\r`));
  type("stty size; tty");
  await until(/\r\n33 99\r\n\/dev\/pts\/\d+\r\n/);
  // More than fits anywhere in between: each byte comes through.
  type("stty -opost; seq 1000000; stty opost; echo 'do''ne'");
  await until(/done\r\n/);
  const numbers = text.slice(text.indexOf("1\n2\n"), text.indexOf("done"));
  assertEquals(numbers.split("\n").length, 1_000_001);
  type("exit 7");
  const { code, reason } = await within(closed.promise, "the end");
  assertEquals([code, reason], [1000, "exit code 7"]);
}

async function worksInBrowser(url: URL): Promise<void> {
  const browser = await chromium.launch({
    executablePath: await Chromium.executablePath(),
    args: Chromium.args,
    timeout: DEADLINE_MS,
  });
  try {
    const page = await browser.newPage({
      viewport: { width: 900, height: 500 },
    });
    const complaints: string[] = [];
    page.on("pageerror", (error: Error) => complaints.push(String(error)));
    page.setDefaultTimeout(DEADLINE_MS);
    await page.goto(url.href);
    const screen = page.locator(".xterm-rows");
    const shows = async (pattern: RegExp) => {
      const deadline = performance.now() + DEADLINE_MS;
      for (;;) {
        const match = (await screen.innerText()).match(pattern);
        if (match !== null) return match;
        assert(performance.now() < deadline, `${pattern} on the screen`);
        await page.waitForTimeout(20);
      }
    };
    await shows(/^ready>/m);
    await page.keyboard.type("stty size; echo 你好\n");
    const [, rows, columns] = await shows(/^(\d+) (\d+)\s*\n你好\s*$/m);
    assert(Number(rows) > 10 && Number(columns) > 50, `${rows} ${columns}`);
    await page.setViewportSize({ width: 500, height: 300 });
    // The page tells the new size when it has been drawn.
    await page.keyboard.type("while stty size; do sleep 0.1; done\n");
    await shows(
      new RegExp(`^(?!${rows} )\\d+ (?!${columns}\\b)\\d+\\s*$`, "m"),
    );
    await page.keyboard.press("Control+C");
    await page.keyboard.type("exit 3\n");
    await shows(/^\[exit code 3\]/m);
    assertEquals(complaints, []);
  } finally {
    await browser.close();
  }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`not in time: ${what}`)),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

if (import.meta.main) console.log(await webTerminalWorks() ?? "ok");
