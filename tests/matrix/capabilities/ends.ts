import process from "node:process";
import { _exit } from "../../../process/_exit.ts";
import { type Capabilities, sleep } from "../_capability.ts";

/** How a child can end. */
export const ends: Capabilities = {
  "falling off the end": {
    child: () => "no more to do",
    gives: "no more to do",
    ends: "exit 0",
  },
  "_exit": {
    async child() {
      addEventListener("unload", () => console.log("unloaded"));
      await sleep(1);
      _exit(7);
    },
    ends: "exit 7",
  },
  "Deno.exit": {
    async child() {
      addEventListener("unload", () => console.log("unloaded"));
      await sleep(1);
      Deno.exit(8);
    },
    ends: "exit 8",
    prints: ["unloaded"],
  },
  "Deno.exitCode": {
    async child() {
      await sleep(1);
      Deno.exitCode = 9;
      return "set";
    },
    gives: "set",
    ends: "exit 9",
  },
  "unload listeners": {
    child() {
      addEventListener("beforeunload", () => console.log("before unload"));
      addEventListener("unload", () => console.log("at unload"));
      return "listening";
    },
    gives: "listening",
    prints: ["before unload\nat unload\n"],
  },
  'process.on("exit")': {
    child() {
      process.on("exit", (code: number) => console.log("exit event", code));
      process.exitCode = 10;
      return "listening";
    },
    gives: "listening",
    ends: "exit 10",
    prints: ["exit event 10"],
  },
  "process.exit": {
    async child() {
      process.on("exit", (code: number) => console.log("exit event", code));
      await sleep(1);
      process.exit(11);
    },
    ends: "exit 11",
    prints: ["exit event 11"],
  },
  "an uncaught error": {
    child() {
      setTimeout(() => {
        throw new RangeError("nobody catches this");
      });
      return "thrown soon";
    },
    gives: "thrown soon",
    ends: "exit 1",
    prints: [
      "error",
      "Uncaught",
      "RangeError: nobody catches this",
      "ends.ts:",
    ],
  },
  "an uncaught rejection": {
    async child() {
      await sleep(1);
      Promise.reject(new TypeError("nobody awaits this"));
      return "rejected";
    },
    gives: "rejected",
    ends: "exit 1",
    prints: [
      "error",
      "Uncaught (in promise)",
      "TypeError: nobody awaits this",
      "ends.ts:",
    ],
  },
  "an error that a listener takes": {
    child() {
      addEventListener("error", (event) => {
        event.preventDefault();
        console.log("taken:", event.error.message);
      });
      addEventListener("unhandledrejection", (event) => {
        event.preventDefault();
        console.log("taken:", event.reason.message);
      });
      setTimeout(() => {
        throw new Error("first");
      });
      Promise.reject(new Error("second"));
      return "going on";
    },
    gives: "going on",
    ends: "exit 0",
    prints: ["taken: first", "taken: second"],
  },
};
