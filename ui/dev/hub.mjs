// A mock hub for work on the lanes: frames and events of docs/protocol.md over a made-up fleet, as fast
// as a measurement wants them. Queries and totals are the real hub's: `laneway demo`, and the page's own
// files in front of it with `LANEWAY_DEV_HUB=http://127.0.0.1:8001 npm run dev`.
//
//   node dev/hub.mjs [--port 8010] [--rate 12] [--agents 4] [--minutes 5] [--access] [--empty]
//
// With --access it wants a code first (/logs#code=let-me-in). POST /dev/drop closes every socket,
// /dev/skip makes a gap of 500 events, /dev/pause stops and restarts the fleet, /dev/restart begins
// another epoch.

import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { WebSocketServer } from "ws";
import { Log } from "./log.mjs";
import { makeWorld, speedFor } from "./world.mjs";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "8010" },
    rate: { type: "string", default: "12" },
    agents: { type: "string", default: "4" },
    minutes: { type: "string", default: "5" },
    access: { type: "boolean", default: false },
    empty: { type: "boolean", default: false },
  },
});
const BUILD =
  process.env.LANEWAY_UI_OUT ?? join(dirname(fileURLToPath(import.meta.url)), "../../src/laneway/web/_ui");
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
const HISTORY_RATE_LIMIT = 200; // events a second of made-up past: a long past of a fast fleet is not the point
const BATCH_MS = 20; // as the hub
const BEAT_MS = 10_000;

let log = new Log();
let isPaused = false;
let signedIn = !options.access;
const agents = Number(options.agents);
const rate = Number(options.rate);

let world = null;
if (!options.empty) {
  const pastMs = Number(options.minutes) * 60_000;
  const pastRate = Math.min(rate, HISTORY_RATE_LIMIT);
  world = makeWorld({
    agents,
    startMs: Date.now() - pastMs,
    speed: speedFor({ agents, rate: pastRate }),
    emit: (event) => log.add(event),
  });
  world.advanceTo(Date.now());
  world.speed = speedFor({ agents, rate });
}

const clients = new Map(); // socket -> { next: seq to send, sizes: of the dictionaries it knows }
setInterval(() => {
  if (world && !isPaused) world.advanceTo(Date.now());
  else if (world) world.nowMs = Date.now();
  for (const [socket, viewer] of clients) send(socket, viewer);
  if (log.hasManyNames) renewNames();
}, BATCH_MS);
setInterval(() => broadcast({ type: "beat", now: Date.now(), seq: log.lastSeq, lag_bytes: 0 }), BEAT_MS);

function send(socket, { next, sizes }) {
  if (next > log.lastSeq) return;
  socket.send(JSON.stringify(log.batch(next, log.lastSeq + 1, sizes)));
  clients.set(socket, { next: log.lastSeq + 1, sizes: log.sizes() });
}

/** As the hub: viewers come back for the new numbers. */
function renewNames() {
  log.renumber();
  for (const socket of clients.keys()) socket.close(1012);
  clients.clear();
}

function broadcast(message) {
  for (const socket of clients.keys()) socket.send(JSON.stringify(message));
}

function admit(socket, query) {
  const isResumed = query.get("epoch") === log.epoch;
  const history = Number(query.get("history") ?? 2000);
  let next = Math.max(1, log.lastSeq + 1 - history);
  if (isResumed) next = Math.max(next, Number(query.get("since")) + 1);
  socket.send(JSON.stringify(log.hello()));
  if (isResumed && next > Number(query.get("since")) + 1) {
    socket.send(JSON.stringify({ type: "gap", from: Number(query.get("since")) + 1, to: next }));
  }
  for (; next <= log.lastSeq; next += 500) {
    const until = Math.min(log.lastSeq + 1, next + 500);
    socket.send(JSON.stringify({ ...log.batch(next, until, log.sizes()), history: true }));
  }
  clients.set(socket, { next: log.lastSeq + 1, sizes: log.sizes() });
  socket.on("close", () => clients.delete(socket));
}

function answer(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}

const DEV = {
  "/dev/drop": () => clients.forEach((_, socket) => socket.terminate()),
  "/dev/pause": () => (isPaused = !isPaused),
  "/dev/skip": () => {
    for (let n = 0; n < 500; n++)
      log.add({ timestamp: Date.now() - 500 + n, agent: "planner", event: "log", content: `skipped ${n}` });
    for (const [socket, { next, sizes }] of clients) {
      const to = log.lastSeq + 1;
      socket.send(JSON.stringify({ type: "gap", from: next, to }));
      clients.set(socket, { next: to, sizes });
    }
  },
  "/dev/restart": () => {
    log = new Log();
    clients.forEach((_, socket) => socket.terminate());
  },
};

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://hub");
  if (url.pathname === "/auth/exchange") {
    signedIn = true;
    return answer(response, 200, { ok: true });
  }
  if (DEV[url.pathname] && request.method === "POST")
    return answer(response, 200, { ok: DEV[url.pathname]() ?? true });
  if (url.pathname === "/post" && request.method === "POST") {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      for (const event of [JSON.parse(body)].flat()) log.add({ timestamp: Date.now(), ...event });
      answer(response, 200, { ok: true });
    });
    return undefined;
  }
  if (url.pathname === "/auth/state" || url.pathname.startsWith("/api/")) {
    if (!signedIn)
      return answer(response, 401, { code: "unauthorized", message: "No session.", hint: "laneway open" });
    if (url.pathname === "/auth/state") return answer(response, 200, { ok: true });
    return api(url, response);
  }
  return file(url, response);
});

function api(url, response) {
  if (url.pathname === "/api/events") return answer(response, 200, log.page(url.searchParams));
  if (!url.pathname.startsWith("/api/events/"))
    return answer(response, 501, {
      code: "not_here",
      message: `The mock hub does not answer ${url.pathname}.`,
      hint: "Queries and totals need a real hub: `laneway demo`, then LANEWAY_DEV_HUB=http://127.0.0.1:8001 npm run dev.",
    });
  const ref = decodeURIComponent(url.pathname.slice("/api/events/".length));
  const event = log.find(ref);
  if (!event)
    return answer(response, 404, {
      code: "not_found",
      message: `No event ${ref}.`,
      hint: "It may have been removed by retention.",
    });
  return answer(response, 200, event);
}

function file(url, response) {
  const name = url.pathname.replace(/^\/logs\/?/, "") || "index.html";
  const path = normalize(join(BUILD, name));
  if (!path.startsWith(normalize(BUILD)) || !existsSync(path))
    return answer(response, 404, { message: "not here" });
  response.writeHead(200, {
    "Content-Type": TYPES[extname(path)] ?? "application/octet-stream",
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
  });
  return createReadStream(path).pipe(response);
}

const sockets = new WebSocketServer({ noServer: true });
server.on("upgrade", (request, socket, head) => {
  if (!signedIn) return socket.end("HTTP/1.1 401 Unauthorized\r\n\r\n");
  const url = new URL(request.url, "http://hub");
  return sockets.handleUpgrade(request, socket, head, (client) => admit(client, url.searchParams));
});
server.listen(Number(options.port), "127.0.0.1", () => {
  console.log(`mock hub: http://127.0.0.1:${options.port}/logs (${agents} agents, ${rate} events/s)`);
});
