/**
 * A daemon: it goes on in the background, without a terminal, and writes a line into its log now and then.
 *
 * Mirrors os.fork(), os.setsid(), os.chdir(), os.umask() and os.dup2() in Python, which together make a daemon. Run it:
 * deno task example:daemon [pid file] [log], and stop it: kill $(cat /tmp/example-daemon.pid)
 */
import { daemonize, getpid, getppid, getsid } from "../process/mod.ts";

const [
  pidFile = "/tmp/example-daemon.pid",
  log = "/tmp/example-daemon.log",
] = Deno.args;

daemonize({
  pidFile,
  log,
  onReady(ready) {
    Deno.addSignalListener("SIGTERM", () => {
      console.log("daemon: told to stop");
      Deno.exit();
    });
    ready(); // only now does the command that has started it end
  },
});

// From here on, this is the daemon.
console.log(`daemon: PID ${getpid()}, PPID ${getppid()}, SID ${getsid()}`);
let count = 0;
setInterval(() => console.log(`daemon: still there, ${++count}`), 100);
