'use strict';
// Everything that others wrote is set as text, never as HTML.
const $ = id => document.getElementById(id);
const shownMax = 1000;
const earlierMax = 50;
let socket = null;
let place = null;
let retry = 0;
let wanted = null;
let next = 0;
// What comes before the earlier messages have; null when there is nothing to wait for.
let early = null;

function state(text) { $('state').textContent = text; }

function show(kind, from, text, time) {
  const item = document.createElement('li');
  item.className = kind;
  const clock = document.createElement('time');
  clock.textContent = new Date(time || Date.now()).toLocaleTimeString();
  item.append(clock);
  if (from) {
    const who = document.createElement('b');
    who.textContent = from;
    item.append(who);
  }
  item.append(document.createTextNode(text));
  const list = $('messages');
  const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 40;
  list.append(item);
  while (list.childElementCount > shownMax) list.firstElementChild.remove();
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function members(listing) {
  const list = $('members');
  list.replaceChildren();
  for (const client of Object.values(listing[wanted.room] || {})) {
    const item = document.createElement('li');
    item.textContent = client.client_id;
    item.className = client.status;
    list.append(item);
  }
}

function send(message) { if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message)); }

function askMembers() { send({ type: 'list', list_type: 'ALL' }); }

function enable(isOn) {
  $('text').disabled = !isOn;
  $('writing').querySelector('button').disabled = !isOn;
  if (isOn) $('text').focus();
}

const handlers = {
  register(m) {
    retry = 0;
    wanted.session = m.session;
    if (!place) {
      early = [];
      send({ type: 'history', last: earlierMax });
    }
    if (!place || place.epoch !== m.epoch) place = { epoch: m.epoch, seq: m.last_seq };
    state(`${m.client_id} in ${m.chat_room}`);
    enable(true);
    askMembers();
  },
  history(m) {
    const since = early || [];
    early = null;
    for (const kept of m.messages) if (kept.seq <= place.seq) show('message', kept.from, kept.text, kept.time);
    for (const message of since) handlers.message(message);
  },
  replay(m) { if (m.truncated) show('notice', null, 'some messages are not kept any more'); },
  message(m) {
    if (early) {
      early.push(m);
      return;
    }
    if (place && m.seq <= place.seq && place.room === m.room) return;
    place = { epoch: place.epoch, seq: m.seq, room: m.room };
    show('message', m.from, m.text, m.time);
  },
  direct(m) { show('direct', `${m.from} to you`, m.text, m.time); },
  notice(m) { show('notice', null, m.text); askMembers(); },
  event() { askMembers(); },
  list(m) { members(m.chatroom_list); },
  error(m) { show('error', null, `${m.code}: ${m.message}`); },
  close(m) { if (m.reason !== 'shutdown' && m.reason !== 'timeout') wanted = null; state(`closed: ${m.reason}`); },
};

function connect() {
  next = 0;
  if (!wanted) return;
  const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
  const query = new URLSearchParams();
  if (wanted.session) query.set('session', wanted.session);
  if (wanted.token) query.set('token', wanted.token);
  if (wanted.password) query.set('password', wanted.password);
  if (place) query.set('since', `${place.epoch}:${place.seq}`);
  const path = `/ws/${encodeURIComponent(wanted.name)}/${encodeURIComponent(wanted.room)}?${query}`;
  state('connecting');
  let isOpen = false;
  socket = new WebSocket(`${scheme}//${location.host}${path}`, 'chat.v1.json');
  socket.onopen = () => { isOpen = true; };
  socket.onmessage = event => {
    const message = JSON.parse(event.data);
    const handle = handlers[message.type];
    if (handle) handle(message);
  };
  socket.onclose = () => {
    enable(false);
    if (!wanted) return;
    if (!isOpen && retry === 0 && !wanted.session) {
      state('refused: the name may be in use, or a password or token is needed');
      for (const field of document.querySelectorAll('.secret')) field.hidden = false;
      wanted = null;
      return;
    }
    // Full jitter: not everybody comes back at the same moment.
    const wait = Math.random() * Math.min(30000, 500 * 2 ** retry++);
    state('connection lost, trying again');
    next = setTimeout(connect, wait);
  };
}

window.addEventListener('online', () => {
  if (!next) return;
  clearTimeout(next);
  connect();
});

$('entry').addEventListener('submit', event => {
  event.preventDefault();
  if (socket) { const old = socket; socket = null; old.onclose = null; old.close(); }
  $('messages').replaceChildren();
  place = null;
  early = null;
  retry = 0;
  clearTimeout(next);
  wanted = { room: $('room').value.trim(), name: $('name').value.trim(), token: $('token').value, password: $('password').value };
  connect();
});

$('writing').addEventListener('submit', event => {
  event.preventDefault();
  const text = $('text').value;
  if (!text) return;
  const direct = /^\/tell (\S+) ([^]*)$/.exec(text);
  if (direct) {
    send({ type: 'tell', to: [direct[1]], text: direct[2] });
    show('direct', `you to ${direct[1]}`, direct[2]);
  } else {
    send({ type: 'send', text });
  }
  $('text').value = '';
});
