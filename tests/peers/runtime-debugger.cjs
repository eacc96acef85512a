// A PLC runtime as far as its debugger goes: login over REST, then Socket.IO with a token, hexadecimal requests and answers.
'use strict';
const http = require('http');
const { Server } = require('socket.io');

const web = http.createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    if (request.url !== '/api/login') return;
    const { username, password } = JSON.parse(body);
    const good = username === 'anna' && password === 'secret';
    response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' });
    response.end(JSON.stringify(good ? { access_token: 'token-1' } : 'Wrong username or password'));
  });
});
const debug = new Server(web).of('/api/debug');
debug.use((socket, next) => next(socket.handshake.auth.token === 'token-1' ? undefined : new Error('no such token')));
debug.on('connection', (socket) => {
  socket.emit('connected', { status: 'ok' });
  socket.on('debug_command', ({ command }) => {
    const answers = {
      '41': '41 00 03',
      '45 DE AD 00 00': '45 7E 61 62 63 00',
      '44 00 02 00 01 00 02': '44 7e 00 02 00 00 01 00 00 03 01 2A 00',
      '42 00 01 01 00 01 01': '42 7E',
      '42 FF FF 01 00 01 00': '42 81',
    };
    if (command === '43 00 00 00 00') return; // never answered
    socket.emit('debug_response', command in answers ? { success: true, data: answers[command] } : { success: false, error: `unknown: ${command}` });
  });
});
web.listen(0, '127.0.0.1', () => process.stdout.write(`listening on ${web.address().port}\n`));
