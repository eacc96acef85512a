// An agent of the first generation, as the hub sees it: socket.io-client with a client certificate, heartbeats, and the topics' answers.
// usage: edge-agent.cjs '{"url":"https://localhost:3001","tls":{"cert":"...","key":"...","ca":"..."},"id":"07048933","beat":100}'
'use strict';
const fs = require('fs');
const readline = require('readline');
const { io } = require('socket.io-client');

const { url, tls, id, beat, transports } = JSON.parse(process.argv[2]);
const files = Object.fromEntries(Object.entries(tls).map(([name, path]) => [name, fs.readFileSync(path)]));
const socket = io(url, { ...files, forceNew: true, transports: transports ?? ['polling', 'websocket'], reconnectionDelay: 50, reconnectionDelayMax: 200 });
const say = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const devices = new Map();
let silent = false;

function heartbeat() {
  socket.emit('heartbeat', {
    agent_id: id, cpu_usage: 42.7, memory_usage: 0.8, memory_total: 23.5, disk_usage: 28.3, disk_total: 252, uptime: 18, status: 'active',
    timestamp: '2026-11-20T22:55:34.462681',
  });
}

socket.on('connect', () => { say({ on: 'connect', transport: socket.io.engine.transport.name }); if (beat) heartbeat(); });
socket.on('disconnect', (reason) => say({ on: 'disconnect', reason }));
socket.on('connect_error', (e) => say({ on: 'connect_error', message: e.message, status: e.description?.status ?? e.context?.status ?? null, text: e.context?.responseText ?? null }));
socket.on('heartbeat_ack', (ack) => say({ on: 'heartbeat_ack', ack }));
if (beat) setInterval(() => socket.connected && heartbeat(), beat);

// Answers carry the topic and the number of the call, as the first agents' do.
function topic(name, handler) {
  socket.on(name, (message, ack) => {
    say({ on: 'topic', name, message });
    if (silent) return;
    const answer = handler(message);
    if (answer === undefined) ack();
    else ack({ action: name, correlation_id: message.correlation_id ?? null, ...answer });
  });
}

const steps = ['validating_config', 'pulling_image', 'creating_container'];
topic('create_new_runtime', ({ container_name: name, vnic_configs: vnics }) => {
  if (!Array.isArray(vnics)) return { status: 'error', error: 'Missing required field: "Missing key: vnic_configs"' };
  if (devices.get(name)?.busy) return { status: 'error', error: `${name} already has a create operation in progress` };
  const device = { busy: true, looks: 0, fails: name.startsWith('bad') };
  devices.set(name, device);
  return { status: 'creating', container_id: name, message: 'Container creation started' };
});
topic('delete_device', ({ device_id }) => {
  devices.delete(device_id);
  return { status: 'deleting', device_id, message: 'Container deletion started' };
});
topic('get_device_status', ({ device_id }) => {
  const device = devices.get(device_id);
  if (device_id === '__orchestrator__' || !device) return { status: 'not_found', device_id, message: `Container ${device_id} not found` };
  if (device.busy && device.looks < steps.length) return { status: 'creating', device_id, operation: 'create', step: steps[device.looks++], message: 'being created' };
  device.busy = false;
  if (device.fails) return { status: 'error', device_id, operation: 'create', step: 'pulling_image', error: 'no such image' };
  return { status: 'success', device_id, container_status: 'running', is_running: true, networks: {}, restart_count: 0 };
});
topic('get_host_interfaces', () => ({ status: 'success', interfaces: [{ name: 'eth0', ip_address: '192.168.77.10', ipv4_addresses: ['192.168.77.10'], mac_address: null }] }));
topic('get_serial_devices', () => ({ status: 'success', devices: [], count: 0 }));
topic('get_consumption_orchestrator', ({ cpuPeriod }) => ({ memory: 24000, cpu: 8, os: 'Debian', kernel: '6', disk: 252, cpu_usage: [], memory_usage: [], period: cpuPeriod }));
topic('get_consumption_device', ({ device_id }) =>
  devices.has(device_id) ? { device_id, memory: '512 MB', cpu: '0.5 vCPU', cpu_usage: [], memory_usage: [] } : { status: 'error', error: `Device not found: ${device_id}` });
topic('run_command', ({ device_id, method, api, headers, params, data, files }) => {
  if (!devices.has(device_id)) return { status: 'error', error: `Device not found: ${device_id}` };
  const ok = api !== 'api/fail';
  return {
    status: ok ? 'success' : 'error',
    http_response: { status_code: ok ? 200 : 418, headers: { 'Content-Type': 'application/json', 'Set-Cookie': 'x=1' }, ok, body: { method, api, headers, params, data, files }, content_type: 'application/json' },
  };
});
topic('start_device', () => undefined);
// Like an agent that removes itself: the answer, what became of each device, and then nobody.
topic('delete_orchestrator', () => {
  setTimeout(() => {
    socket.emit('orchestrator_removed', { agent_id: id, results: {} });
    setTimeout(() => socket.disconnect(), 50);
  }, 50);
  return { status: 'accepted', message: 'accepted', poll_device_id: '__orchestrator__' };
});
// Topics of later agents: what was asked is all that matters.
for (const name of ['get_orchestrator_version', 'stop_device', 'restart_device', 'update_device', 'get_logs', 'upgrade_orchestrator', 'webrtc:offer', 'webrtc:ice', 'webrtc:disconnect'])
  topic(name, () => ({ status: 'success' }));
// An answer to another call, and one that is no object.
topic('liar', () => ({ status: 'success', correlation_id: 1 }));
socket.on('mumble', (message, ack) => ack('well'));
topic('big', ({ bytes }) => ({ status: 'success', text: 'x'.repeat(bytes) }));

const commands = {
  silence: () => { silent = true; say({ on: 'silent' }); },
  beat: heartbeat,
  tell: ({ name, message }) => socket.emit(name, message),
  leave: () => socket.disconnect(),
  again: () => socket.connect(),
};
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const command = JSON.parse(line);
  commands[command.do](command);
}).on('close', () => process.exit(0));
