// A socket.io server under remote control: JSON commands, one a line, on standard input; what happens, one JSON a line, on standard output.
// usage: socketio-server.cjs '{"options":{...},"tls":{"cert":"...","key":"...","ca":"..."}}'
'use strict';
const fs = require('fs');
const http = require('http');
const https = require('https');
const readline = require('readline');
const { Server } = require('socket.io');

const { options, tls, port, beats } = JSON.parse(process.argv[2]);
const files = Object.fromEntries(Object.entries(tls ?? {}).map(([name, path]) => [name, fs.readFileSync(path)]));
const web = tls ? https.createServer({ ...files, requestCert: true, rejectUnauthorized: true }) : http.createServer();
const io = new Server(web, { pingInterval: 25000, pingTimeout: 20000, ...options });

const say = (what) => process.stdout.write(JSON.stringify(what, (_, value) =>
  value && value.type === 'Buffer' ? { base64: Buffer.from(value.data).toString('base64') } : value) + '\n');
const revive = (value) => {
  if (Array.isArray(value)) return value.map(revive);
  if (value === null || typeof value !== 'object') return value;
  if ('base64' in value) return Buffer.from(value.base64, 'base64');
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
};
const streams = new Set();
web.on('connection', (stream) => { streams.add(stream); stream.on('close', () => streams.delete(stream)); });
if (tls) web.on('secureConnection', (stream) => { streams.add(stream); stream.on('close', () => streams.delete(stream)); });

function serve(nsp) {
  nsp.use((socket, next) => {
    const { refuse } = socket.handshake.auth;
    next(refuse ? Object.assign(new Error(refuse), { data: { code: 7 } }) : undefined);
  });
  nsp.on('connection', (socket) => {
    const certificate = socket.request.socket.getPeerCertificate?.();
    say({ on: 'connect', nsp: nsp.name, id: socket.id, transport: socket.conn.transport.name, auth: socket.handshake.auth, subject: certificate?.subject?.CN ?? null });
    socket.conn.once('upgrade', (transport) => say({ on: 'upgrade', transport: transport.name }));
    if (beats) socket.conn.on('heartbeat', () => say({ on: 'heartbeat' }));
    socket.on('disconnect', (reason) => say({ on: 'disconnect', nsp: nsp.name, id: socket.id, reason }));
    socket.onAny((name, ...args) => {
      const ack = typeof args.at(-1) === 'function' ? args.pop() : null;
      if (name === 'silent' || name === 'count') return count(name, args);
      if (ack) ack(...(name === 'empty' ? [] : args));
      else say({ on: 'event', nsp: nsp.name, name, args });
    });
  });
}

let expected = 0;
let wrong = 0;
// Events "count" carry 0, 1, 2...: what matters is that none is missing and none is twice.
function count(name, [n, last]) {
  if (name !== 'count') return;
  if (n !== expected++) wrong++;
  if (last) { say({ on: 'counted', count: expected, wrong }); expected = 0; wrong = 0; }
}

const every = (nsp) => [...io.of(nsp ?? '/').sockets.values()];
const commands = {
  emit: ({ nsp, name, args = [] }) => io.of(nsp ?? '/').emit(name, ...revive(args)),
  burst: ({ nsp, name, count: n, bytes = 0 }) => { for (let i = 0; i < n; i++) io.of(nsp ?? '/').emit(name, i, 'x'.repeat(bytes)); },
  call: ({ nsp, name, args = [], tag, timeout = 20000 }) => {
    for (const socket of every(nsp))
      socket.timeout(timeout).emit(name, ...revive(args), (error, ...answer) =>
        say(error ? { on: 'failed', tag, error: error.message } : { on: 'reply', tag, args: answer }));
  },
  kick: ({ nsp, whole = false }) => every(nsp).forEach((socket) => socket.disconnect(whole)),
  // All connections break without a word, as when a cable is pulled.
  cut: () => streams.forEach((stream) => stream.destroy()),
  raw: ({ packet, binary }) => every().forEach((socket) => socket.conn.sendPacket('message', binary ? Buffer.from(binary, 'base64') : packet)),
};

serve(io.of('/'));
serve(io.of('/plant'));
web.listen(port ?? 0, '127.0.0.1', () => say({ on: 'listening', port: web.address().port }));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  commands[command.do](command);
}).on('close', () => process.exit(0));
