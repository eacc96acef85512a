// socket.io-client under remote control: JSON commands, one a line, on standard input; what happens, one JSON a line, on standard output.
// usage: socketio-client.cjs '{"url":"http://127.0.0.1:1234","options":{...}}'
'use strict';
const fs = require('fs');
const readline = require('readline');
const { Manager } = require('socket.io-client');

const { url, options, tls } = JSON.parse(process.argv[2]);
const files = Object.fromEntries(Object.entries(tls ?? {}).map(([name, path]) => [name, fs.readFileSync(path)]));
const manager = new Manager(url, { reconnectionDelay: 20, reconnectionDelayMax: 100, ...options, ...files });
const sockets = new Map();
manager.on('open', () => manager.engine.once('upgrade', (transport) => say({ on: 'upgrade', transport: transport.name })));

const say = (what) => process.stdout.write(JSON.stringify(what, (_, value) =>
  value && value.type === 'Buffer' ? { base64: Buffer.from(value.data).toString('base64') } : value) + '\n');
const revive = (value) => {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== 'object') return value;
  if ('base64' in value) return Buffer.from(value.base64, 'base64');
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
};

function join(nsp, auth) {
  const socket = manager.socket(nsp, { auth });
  sockets.set(nsp, socket);
  socket.on('connect', () => {
    say({ on: 'connect', nsp, id: socket.id, transport: manager.engine.transport.name });
  });
  socket.on('disconnect', (reason) => say({ on: 'disconnect', nsp, reason }));
  socket.on('connect_error', (e) => say({ on: 'connect_error', nsp, message: e.message, data: e.data ?? null, status: e.context?.status ?? e.context?.statusCode ?? null }));
  socket.onAny((name, ...args) => {
    const ack = typeof args.at(-1) === 'function' ? args.pop() : null;
    if (name === 'silent') return;
    say({ on: 'event', nsp, name, args });
    if (ack) ack(...(name === 'empty' ? [] : ['echo', ...args]));
  });
}

async function flood({ nsp = '/', name, count, window = 100, bytes = 0 }) {
  const socket = sockets.get(nsp);
  const filler = 'x'.repeat(bytes);
  let next = 0;
  let wrong = 0;
  const begin = process.hrtime.bigint();
  await Promise.all(Array.from({ length: window }, async () => {
    while (next < count) {
      const n = next++;
      const answer = await socket.emitWithAck(name, n, filler);
      if (answer !== n) wrong++;
    }
  }));
  say({ on: 'flooded', count, wrong, ms: Number(process.hrtime.bigint() - begin) / 1e6 });
}

const commands = {
  join: ({ nsp, auth }) => join(nsp, auth),
  emit: ({ nsp = '/', name, args = [] }) => sockets.get(nsp).emit(name, ...revive(args)),
  burst: ({ nsp = '/', name, count }) => { for (let n = 0; n < count; n++) sockets.get(nsp).emit(name, n); },
  call: ({ nsp = '/', name, args = [], tag, timeout = 20000 }) =>
    sockets.get(nsp).timeout(timeout).emit(name, ...revive(args), (error, ...answer) =>
      say(error ? { on: 'failed', tag, error: error.message } : { on: 'reply', tag, args: answer })),
  flood,
  leave: ({ nsp = '/' }) => sockets.get(nsp).disconnect(),
  again: ({ nsp = '/' }) => sockets.get(nsp).connect(),
  // The connection breaks without a word, as when a cable is pulled.
  cut: () => (manager.engine.transport.ws?._socket ?? { destroy: () => manager.engine.close() }).destroy(),
  end: () => process.exit(0),
};

join('/', JSON.parse(process.argv[3] ?? 'null') ?? undefined);
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  Promise.resolve(commands[command.do](command)).catch((e) => say({ on: 'failed', tag: command.tag, error: e.message }));
}).on('close', () => process.exit(0));
