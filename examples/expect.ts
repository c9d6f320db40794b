/**
 * Drives a program that talks to people: expect of Tcl, pexpect of Python.
 *
 * The program here is a game, as a shell script: it wants a password, which it does not echo, and then a number guessed. What is
 * answered depends on what it prints. At last one that never says anything shows what happens when time is up.
 *
 * Run it: deno task example:expect [number from 1 to 100]
 */
import { spawnPty } from "../exec/mod.ts";
import { Conversation, ExpectError } from "./_expect.ts";

const game = `
  stty -echo; printf "Password: "; read -r password; stty echo; echo
  [ "$password" = sesame ] || { echo "Go away."; exit 1; }
  while printf "Your guess: "; read -r guess; do
    [ "$guess" -lt "$1" ] && echo "More." && continue
    [ "$guess" -gt "$1" ] && echo "Less." && continue
    echo "Right!"; exit 0
  done`;

const number = Deno.args[0] ?? "42";
{
  await using pty = spawnPty("sh", ["-c", game, "game", number]);
  const program = new Conversation(pty);
  await program.expect({ password: /Password: / });
  await program.send("sesame");

  let [low, high] = [1, 100];
  for (let found = false; !found && low <= high;) {
    await program.expect({ question: /Your guess: / });
    const guess = (low + high) >> 1;
    await program.send(String(guess));
    const { name } = await program.expect({
      more: /More\./,
      less: /Less\./,
      right: /Right!/,
    });
    console.log(`${guess}: ${name}`);
    if (name === "more") low = guess + 1;
    if (name === "less") high = guess - 1;
    found = name === "right";
  }
  if (low > high) throw new RangeError(`not from 1 to 100: ${number}`);
  await program.rest();
  console.log(`the game has ended with ${(await pty.status).code}`);
}

await using silent = spawnPty("sleep", ["60"]);
try {
  await new Conversation(silent).expect({ anything: /./ }, 200);
} catch (error) {
  if (!(error instanceof ExpectError)) throw error;
  console.log(`${error.reason}: ${error.message}`);
}
