// Applications and visitors for tunnels, made of node's own http2 and of ws: implementations that Mooring did not write.
//   node tunnel.cjs serve                    prints "ready WS-PORT H2-PORT": a WebSocket echo, and a gRPC-like echo over HTTP/2 without TLS
//   node tunnel.cjs websocket PORT HOST      visits the echo through the port, as HOST; prints "ok" or why not
//   node tunnel.cjs grpc PORT HOST           makes a call that streams both ways and ends with trailers
'use strict';
const http = require('http');
const http2 = require('http2');
const crypto = require('crypto');
const { WebSocket, WebSocketServer } = require('ws');

const fail = why => { console.log('failed: ' + why); process.exit(1); };
process.on('uncaughtException', error => fail(error.stack));

function serve() {
  const web = http.createServer((request, response) => response.end('hello'));
  new WebSocketServer({ server: web }).on('connection', socket => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
  const calls = http2.createServer();
  calls.on('stream', stream => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'fine' }));
    stream.on('data', chunk => stream.write(chunk));
    stream.on('end', () => stream.end());
  });
  web.listen(0, '127.0.0.1', () => calls.listen(0, '127.0.0.1', () => console.log(`ready ${web.address().port} ${calls.address().port}`)));
}

function visitWebSocket(port, host) {
  const messages = ['text é', crypto.randomBytes(10), crypto.randomBytes(300000), '', crypto.randomBytes(70000)];
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`, { headers: { host } });
  let at = 0;
  socket.on('open', () => socket.send(messages[0]));
  socket.on('message', (data, isBinary) => {
    const sent = messages[at++];
    if (isBinary === (typeof sent === 'string') || !Buffer.from(sent).equals(data)) fail(`message ${at} came back as ${data.length} bytes, binary ${isBinary}`);
    if (at < messages.length) socket.send(messages[at]);
    else socket.close(4321, 'enough');
  });
  socket.on('close', (code, reason) => { if (at !== messages.length || code !== 4321) fail(`closed ${code} ${reason}`); console.log('ok'); });
}

function call(port, host) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':method': 'POST', ':path': '/echo.Echo/Talk', ':authority': host, 'content-type': 'application/grpc', te: 'trailers' });
  const messages = [10, 1000, 100000, 5].map(size => crypto.randomBytes(size));
  let at = 0, expected = 0, received = Buffer.alloc(0), status = 0, trailers = {};
  const say = () => { if (at === messages.length) return stream.end(); expected += messages[at].length; stream.write(messages[at++]); };
  stream.on('response', headers => { status = headers[':status']; });
  stream.on('trailers', headers => { trailers = headers; });
  // The next message only when the last one came back: nothing in between may wait for the end.
  stream.on('data', chunk => { received = Buffer.concat([received, chunk]); if (received.length === expected) say(); });
  stream.on('end', () => {
    if (status !== 200 || trailers['grpc-status'] !== '0' || trailers['grpc-message'] !== 'fine') fail(`status ${status}, trailers ${JSON.stringify(trailers)}`);
    if (!Buffer.concat(messages).equals(received)) fail('other bytes came back');
    console.log('ok');
    session.close();
  });
  say();
}

const [mode, port, host] = process.argv.slice(2);
({ serve, websocket: () => visitWebSocket(port, host), grpc: () => call(port, host) })[mode]();
