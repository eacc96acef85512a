// The broker: who is connected, what goes over which topic, what is retained; and a client of one's own.
import { h, fill, setText, act, call, get, time, bytes, count, rate, field, facts, pill, card, readable } from "../dom.js";
import { follow, rows, table, figure, markProblem } from "../live.js";
import { List, paintPill } from "../list.js";

const tones = { connected: "good", local: "info", away: "" };
const receivedMax = 300;

export function mount([tab = "clients", ...rest]) {
  const tabs = { clients, topics, retained, messages };
  const titles = { clients: "Clients", topics: "Topics", retained: "Retained", messages: "Publish and subscribe" };
  const bar = h("div", { class: "tabs", role: "tablist" }, Object.keys(tabs).map(name => h("button", {
    type: "button", role: "tab", "data-tab": name, onclick: () => { location.hash = `#/broker/${name}`; },
  }, titles[name])));
  const body = h("div", { class: "stack grow", role: "tabpanel" });
  const figures = h("div", { class: "row muted" });
  let view = null;
  let shown = "";

  function open(name, path) {
    const wanted = tabs[name] ? name : "clients";
    for (const button of bar.children) button.setAttribute("aria-selected", button.dataset.tab === wanted);
    if (shown === wanted && view?.onPath) return view.onPath(path);
    view?.dispose();
    shown = wanted;
    view = tabs[wanted](path);
    fill(body, view.element);
  }

  const stop = follow(["figures"], () => setText(figures,
    `${count(figure("broker.clients"))} clients · ${count(figure("broker.subscriptions"))} subscriptions · ${count(figure("broker.retained"))} retained · ${rate(figure("broker.received"))} in · ${rate(figure("broker.sent"))} out`));
  open(tab, rest);
  return {
    element: h("div", { class: "page fixed" }, h("header", { class: "page-head" }, h("h1", {}, "Broker"), figures), bar, body),
    onPath: ([name, ...path]) => open(name ?? "clients", path),
    onEscape: () => view?.onEscape?.(),
    dispose() { stop(); view?.dispose(); },
  };
}

function clients([chosen]) {
  const search = h("input", { type: "search", placeholder: "Search  /", "aria-label": "Search clients", oninput: () => show() });
  const list = new List({
    label: "Clients", key: row => row.id, empty: "no client fits", onOpen: row => { location.hash = `#/broker/clients/${encodeURIComponent(row.id)}`; },
    columns: [
      { name: "id", title: "Client", width: "minmax(120px,2fr)", text: row => row.id },
      { name: "state", title: "State", width: "96px", text: row => row.state, paint: (cell, row) => paintPill(cell, row.state, tones[row.state]) },
      { name: "address", title: "Address", width: "minmax(110px,1fr)", text: row => row.address ?? "", wide: true },
      { name: "user", title: "User", width: "90px", text: row => row.user ?? "", wide: true },
      { name: "subscriptions", title: "Subscr.", width: "60px", end: true, text: row => row.subscriptions ?? 0 },
      { name: "waiting", title: "Waiting", width: "66px", end: true, text: row => row.waiting ?? 0, wide: true },
      { name: "received", title: "In/s", width: "60px", end: true, text: row => row.state === "local" ? "" : row.received ?? 0, sort: row => row.received ?? 0 },
      { name: "sent", title: "Out/s", width: "60px", end: true, text: row => row.state === "local" ? "" : row.sent ?? 0, sort: row => row.sent ?? 0 },
    ],
  });
  const panel = h("section", { class: "card flush" }, list.element);
  const split = h("div", { class: "split alone" }, panel);
  let detail = null;

  function show() {
    const text = search.value.trim().toLowerCase();
    const all = rows("clients");
    list.set(text ? all.filter(c => `${c.id} ${c.user ?? ""} ${c.address ?? ""}`.toLowerCase().includes(text)) : all, text ? undefined : table("clients").generation);
    markProblem(panel, "clients");
    detail?.update();
  }

  function open(id) {
    detail?.dispose();
    detail = id ? clientOf(id) : null;
    split.classList.toggle("alone", !detail);
    fill(split, panel, detail?.element);
    list.select(id ?? null);
  }

  const stop = follow(["clients"], show);
  open(chosen);
  return {
    element: h("div", { class: "stack grow" }, h("div", { class: "row" }, search), split),
    onPath: ([id]) => open(id),
    onEscape: () => { location.hash = "#/broker/clients"; },
    dispose() { stop(); detail?.dispose(); list.dispose(); },
  };
}

function clientOf(id) {
  const path = `/api/broker/clients/${encodeURIComponent(id)}`;
  const about = h("div", {});
  const filters = h("ul", { class: "items" });
  const end = h("button", { type: "button", class: "danger", onclick: () => act(end, () => call("DELETE", path), `${id} is disconnected`) }, "Disconnect");
  let isGone = false;

  async function load() {
    try {
      const lines = await get(`${path}/subscriptions`);
      if (!isGone) fill(filters, lines.length ? lines.map(l => h("li", {}, h("span", { class: "mono grow" }, l.filter), pill(`QoS ${l.qos}`))) : h("li", { class: "muted" }, "none"));
    } catch (error) {
      if (!isGone) fill(filters, h("li", { class: "muted" }, error.message));
    }
  }

  function update() {
    const row = table("clients").rows.get(id);
    end.disabled = row?.state !== "connected";
    fill(about, row ? facts([["State", pill(row.state, tones[row.state])], ["Address", row.address ?? (row.state === "local" ? "a part of this process" : "–")], ["User", row.user ?? "anonymous"],
      ["Messages", `${row.received ?? 0}/s in, ${row.sent ?? 0}/s out`], ["Waiting", row.waiting ?? 0]]) : h("p", { class: "muted" }, "This session is gone."));
  }

  const clock = setInterval(load, 3000);
  load();
  update();
  return {
    element: h("section", { class: "card detail" }, h("div", { class: "detail-head" }, h("h3", {}, id), end, h("a", { href: "#/broker/clients", class: "muted", "aria-label": "Close" }, "✕")),
      about, h("div", { class: "sub" }, h("h2", {}, "Subscriptions"), filters)),
    update,
    dispose() { isGone = true; clearInterval(clock); },
  };
}

function topics() {
  let all = [];
  const search = h("input", { type: "search", placeholder: "Search  /", "aria-label": "Search topics", oninput: () => show() });
  const note = h("span", { class: "note" }, "Counted while this page is open.");
  const list = new List({
    label: "Topics", key: row => row.topic, sort: "rate", descending: true, empty: "no message has come since you look",
    onOpen: row => { location.hash = `#/broker/messages/${encodeURIComponent(row.topic)}`; },
    columns: [
      { name: "topic", title: "Topic", width: "minmax(160px,4fr)", text: row => row.topic },
      { name: "rate", title: "Messages/s", width: "92px", end: true, text: row => row.rate },
      { name: "messages", title: "Messages", width: "82px", end: true, text: row => row.messages },
      { name: "bytes", title: "Bytes", width: "84px", end: true, text: row => bytes(row.bytes), sort: row => row.bytes, wide: true },
      { name: "lastAt", title: "Last", width: "84px", text: row => time(row.lastAt), sort: row => row.lastAt, wide: true },
    ],
  });
  const panel = h("section", { class: "card flush grow" }, list.element);

  async function load() {
    if (document.hidden) return;
    try {
      const view = await get("/api/broker/topics");
      all = view.topics;
      setText(note, `${view.known} topics, counted while this page is open.${view.otherMessages ? ` ${view.otherMessages} messages of further topics.` : ""}`);
      panel.classList.remove("grey");
      show();
    } catch (error) {
      panel.classList.add("grey");
      setText(note, error.message);
    }
  }

  function show() {
    const text = search.value.trim().toLowerCase();
    list.set(text ? all.filter(t => t.topic.toLowerCase().includes(text)) : all);
  }

  const clock = setInterval(load, 1000);
  load();
  return { element: h("div", { class: "stack grow" }, h("div", { class: "row" }, search, note), panel), dispose() { clearInterval(clock); list.dispose(); } };
}

function retained() {
  const filter = h("input", { value: "#", "aria-label": "Topic filter", class: "mono" });
  const items = h("ul", { class: "items" });
  const ask = h("button", { type: "submit" }, "Show");
  const load = () => act(ask, async () => {
    const found = await get(`/api/broker/retained?filter=${encodeURIComponent(filter.value)}&take=500`);
    fill(items, found.length ? found.map(m => h("li", {}, h("span", { class: "mono grow", title: m.topic }, m.topic), h("span", { class: "mono grow muted" }, readable(m)), pill(`QoS ${m.qos}`),
      h("button", { type: "button", class: "small danger", title: "Delete the retained message", onclick: event => act(event.currentTarget, () => call("POST", "/api/broker/publish", { topic: m.topic, text: "", qos: 0, retain: true }), "deleted").then(load) }, "✕")))
      : h("li", { class: "muted" }, "nothing is retained there"));
  });
  load();
  return {
    element: h("div", { class: "stack grow" }, h("form", { class: "row", onsubmit: event => { event.preventDefault(); load(); } }, h("div", { class: "grow" }, filter), ask), h("section", { class: "card scroll grow" }, items)),
    dispose() { },
  };
}

function messages([topic]) {
  let source = null;
  let total = 0;
  const filter = h("input", { value: topic || "#", class: "mono", "aria-label": "Topic filter" });
  const toggle = h("button", { type: "submit", class: "primary" }, "Subscribe");
  const note = h("span", { class: "note", role: "status" });
  const log = h("div", { class: "messages", role: "log", "aria-label": "Messages" });
  const to = h("input", { value: topic && !/[#+]/.test(topic) ? topic : "", placeholder: "topic", class: "mono", "aria-label": "Topic" });
  const data = h("textarea", { rows: 4, "aria-label": "Data" });
  const qos = h("select", { "aria-label": "QoS" }, [0, 1, 2].map(n => h("option", { value: String(n) }, `QoS ${n}`)));
  const retain = h("input", { type: "checkbox" });
  const send = h("button", { class: "primary", type: "submit" }, "Publish");

  function stop(why) {
    source?.close();
    source = null;
    setText(toggle, "Subscribe");
    if (why) setText(note, why);
  }

  function start() {
    stop();
    log.replaceChildren();
    total = 0;
    source = new EventSource(`/api/broker/subscribe?filter=${encodeURIComponent(filter.value)}`);
    setText(toggle, "Stop");
    setText(note, "subscribed");
    source.onerror = () => stop("the subscription ended; is this a topic filter?");
    source.onmessage = event => {
      const view = JSON.parse(event.data);
      const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
      total += view.messages.length + view.dropped;
      for (const m of view.messages.slice(-receivedMax)) log.append(h("div", { class: "message topic" }, h("time", {}, time(Date.now())), h("span", { class: "who mono", title: m.topic }, m.topic), h("span", { class: "what mono" }, readable(m))));
      while (log.childElementCount > receivedMax) log.firstElementChild.remove();
      setText(note, `${total} message(s)${view.dropped ? `, ${view.dropped} left out just now: they come faster than they are shown` : ""}`);
      if (isAtEnd) log.scrollTop = log.scrollHeight;
    };
  }

  if (topic) start();
  return {
    element: h("div", { class: "split" },
      h("section", { class: "card flush" }, h("form", { class: "write", onsubmit: event => { event.preventDefault(); source ? stop("stopped") : start(); } }, h("div", { class: "grow" }, filter), toggle), log, h("div", { class: "write" }, note, " ")),
      card("Publish", h("form", { class: "form", onsubmit: event => {
        event.preventDefault();
        act(send, () => call("POST", "/api/broker/publish", { topic: to.value, text: data.value, qos: qos.selectedIndex, retain: retain.checked }), `published to ${to.value}`);
      } }, field("Topic", to), field("Data", data), h("div", { class: "row" }, h("div", {}, qos), h("label", { class: "check" }, retain, "retain"), h("span", { class: "grow" }), send)))),
    onPath: ([next]) => { if (next) { filter.value = next; if (!/[#+]/.test(next)) to.value = next; start(); } },
    dispose() { stop(); },
  };
}
