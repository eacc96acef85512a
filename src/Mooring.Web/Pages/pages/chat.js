// Rooms: who is in them, what is said, and what an operator does about it.
import { h, fill, setText, act, call, get, time, pill, confirmed, append } from "../dom.js";
import { follow, rows, table, markProblem } from "../live.js";

const messagesMax = 500;
const hues = ["--c1", "--c2", "--c3", "--good", "--warn"];

export function mount([chosen]) {
  let room = chosen || "main";
  let last = 0;
  let shownLast = -1;
  let isLoading = false;
  let isGone = false;

  const list = h("ul", { class: "rooms" });
  const fresh = h("input", { placeholder: "New room", "aria-label": "Name of a new room", maxlength: "64" });
  const open = h("form", { class: "write", onsubmit: event => {
    event.preventDefault();
    const name = fresh.value.trim();
    if (name) act(null, () => call("POST", "/api/chat/rooms", { name }), `${name} is open`).then(done => { if (done !== undefined) { fresh.value = ""; go(name); } });
  } }, fresh, h("button", { type: "submit" }, "Open"));
  const title = h("h3", {});
  const topic = h("span", { class: "muted grow" });
  const lock = h("button", { type: "button", class: "small", onclick: () => act(lock, () => call("PATCH", path(), { locked: !isLocked() }), isLocked() ? "unlocked" : "locked").then(loadMembers) }, "Lock");
  const close = h("button", { type: "button", class: "small danger", onclick: async () => {
    if (await confirmed(`Close the room ${room}? Everybody in it leaves, and what was said is forgotten.`, "Close the room"))
      act(close, () => call("DELETE", path()), `${room} is closed`).then(() => go("main"));
  } }, "Close");
  const messages = h("div", { class: "messages", role: "log", "aria-label": "Messages", tabindex: "0" });
  const as = h("input", { class: "as", value: "operator", "aria-label": "Your name", maxlength: "64" });
  const text = h("input", { class: "grow", placeholder: "Say something", "aria-label": "Message", autocomplete: "off" });
  const say = h("button", { class: "primary", type: "submit" }, "Send");
  const write = h("form", { class: "write", onsubmit: event => {
    event.preventDefault();
    if (!text.value) return;
    act(say, () => call("POST", `${path()}/messages`, { from: as.value, text: text.value })).then(sent => { if (sent) { text.value = ""; load(); } });
  } }, as, text, say);
  const members = h("ul", { class: "items" });
  const panel = h("section", { class: "card flush" }, list, open);
  const path = () => `/api/chat/rooms/${encodeURIComponent(room)}`;
  const isLocked = () => !!table("rooms").rows.get(room)?.isLocked;

  function go(name) { location.hash = `#/chat/${encodeURIComponent(name)}`; }

  function choose(name) {
    room = name || "main";
    last = 0;
    shownLast = -1;
    messages.replaceChildren();
    show();
    load();
    loadMembers();
  }

  function show() {
    const all = rows("rooms");
    fill(list, all.map(r => h("li", {}, h("button", { type: "button", "aria-current": r.name === room ? "true" : "false", onclick: () => go(r.name) },
      h("span", { class: "grow" }, r.isLocked ? "🔒 " : "", r.name), r.messages ? h("span", { class: "muted" }, `${r.messages}/s`) : null, h("span", { class: "pill" }, r.members ?? 0)))));
    list.style.flex = "1";
    const own = table("rooms").rows.get(room);
    setText(title, room);
    setText(topic, own ? own.topic : "this room is not open");
    setText(lock, isLocked() ? "Unlock" : "Lock");
    close.hidden = room === "main";
    say.disabled = !own;
    markProblem(panel, "rooms");
    if (own && (own.last ?? 0) !== shownLast) { shownLast = own.last ?? 0; load(); }
  }

  async function load() {
    if (isLoading || isGone) return;
    isLoading = true;
    const asked = room;
    try {
      const view = await get(`${path()}/messages?after=${last}`);
      if (isGone || asked !== room) return;
      const isAtEnd = messages.scrollHeight - messages.scrollTop - messages.clientHeight < 60;
      append(messages, view.messages.filter(m => m.number > last).map(lineOf));
      last = Math.max(last, view.last);
      while (messages.childElementCount > messagesMax) messages.firstElementChild.remove();
      if (isAtEnd || messages.childElementCount === view.messages.length) messages.scrollTop = messages.scrollHeight;
    } catch (error) {
      if (error.status !== 404) fill(messages, h("p", { class: "problem" }, error.message));
    } finally {
      isLoading = false;
      if (asked !== room) load();
    }
  }

  async function loadMembers() {
    const asked = room;
    try {
      const view = await get(path());
      if (isGone || asked !== room) return;
      fill(members, view.members.length ? view.members.map(memberOf) : h("li", { class: "muted" }, "nobody is here"));
    } catch {
      fill(members, h("li", { class: "muted" }, "–"));
    }
  }

  function memberOf(member) {
    const to = `${path()}/members/${encodeURIComponent(member.client)}`;
    const isPaused = /suspend|paus/i.test(member.status);
    const pause = h("button", { type: "button", class: "small", onclick: () => act(pause, () => call("POST", `${to}/${isPaused ? "resume" : "pause"}`), `${member.client} is ${isPaused ? "resumed" : "paused"}`).then(loadMembers) }, isPaused ? "Resume" : "Pause");
    const out = h("button", { type: "button", class: "small danger", title: "Take out of the room", onclick: () => act(out, () => call("DELETE", to), `${member.client} is out`).then(loadMembers) }, "✕");
    return h("li", { title: `${member.transport} from ${member.address}` }, h("span", { class: "grow" }, member.client), isPaused ? pill(`${member.missed} missed`, "warn") : null, pause, out);
  }

  const stop = follow(["rooms"], show);
  const clock = setInterval(() => { if (!document.hidden) loadMembers(); }, 2000);
  choose(room);
  return {
    element: h("div", { class: "page fixed" }, h("header", { class: "page-head" }, h("h1", {}, "Chat")),
      h("div", { class: "chat" }, panel,
        h("section", { class: "card flush" }, h("div", { class: "row detail-bar" }, title, topic, lock, close), messages, write),
        h("section", { class: "card scroll" }, h("h2", {}, "Members"), members))),
    onPath: ([name]) => choose(name),
    dispose() { isGone = true; stop(); clearInterval(clock); },
  };
}

function lineOf(message) {
  let sum = 0;
  for (const letter of message.from) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return h("div", { class: "message" }, h("time", {}, time(message.at)),
    h("span", { class: "who", style: { color: `var(${hues[sum % hues.length]})` }, title: message.from }, message.from), h("span", { class: "what" }, message.text));
}
