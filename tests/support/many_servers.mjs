// Runs an MCP server for each client that connects, all in one process: what it imports is loaded once.
//
//   node many_servers.mjs SCRIPT SOCKET
//
// A client's first line is its server's environment, as JSON; what follows is the server's stdin, what comes back its
// stdout. The script is imported anew for each, under a URL of its own, so that no server shares a variable with another.
import { createServer } from "node:net";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const [script, path] = process.argv.slice(2);
let servers = 0;
let starting = Promise.resolve();

async function start(environment, stdin, stdout) {
  Object.assign(process.env, environment);
  Object.defineProperty(process, "stdin", { value: stdin, configurable: true });
  Object.defineProperty(process, "stdout", { value: stdout, configurable: true });
  servers += 1;
  await import(`${pathToFileURL(script)}?${servers}`);
  await setImmediate(); // by then it has taken what is its own
}

createServer((client) => {
  const stdin = new PassThrough();
  let head = Buffer.alloc(0);
  const onData = (chunk) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\n");
    if (end === -1) return;
    client.off("data", onData);
    stdin.write(head.subarray(end + 1));
    client.pipe(stdin);
    starting = starting.then(() => start(JSON.parse(head.subarray(0, end)), stdin, client));
  };
  client.on("data", onData);
  client.on("error", () => client.destroy());
}).listen(path);
