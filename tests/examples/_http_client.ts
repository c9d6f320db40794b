/** Asks the server at the port in the arguments until it has been answered by as many processes as the second one says. */
const [port, wanted] = Deno.args.map(Number);
const pids = new Set<string>();
for (let i = 0; i < 2000 && pids.size < wanted!; i++) {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: port! });
  await connection.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  const text = await new Response(connection.readable).text();
  pids.add(
    /^HTTP\/1\.1 200 OK\r\n[^]*answered by PID (\d+)\n$/.exec(text)![1]!,
  );
}
console.log([...pids].join(" "));
