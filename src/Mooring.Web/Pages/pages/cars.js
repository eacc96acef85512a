// The fleet: a list of every car, and beside it the one that is looked at.
import { h, fill, setText, act, call, get, facts, time, ago, field, pill, count, readable } from "../dom.js";
import { follow, rows, table, markProblem } from "../live.js";
import { List, paintPill } from "../list.js";
import { Plot } from "../plot.js";

const tones = { Running: "good", Error: "bad", Connected: "info", Initialized: "info" };
const liveMax = 5;
const states = ["Running", "Connected", "Error", "Stopped"];

export function mount([chosen]) {
  let wanted = new Set();
  const search = h("input", { type: "search", placeholder: "Search  /", "aria-label": "Search cars", oninput: () => show() });
  const chips = states.map(state => {
    const number = h("b", {});
    return { state, number, element: h("button", { type: "button", "aria-pressed": "false", onclick: event => {
      wanted.has(state) ? wanted.delete(state) : wanted.add(state);
      event.currentTarget.setAttribute("aria-pressed", wanted.has(state));
      show();
    } }, state, " ", number) };
  });
  const list = new List({
    label: "Cars", key: row => row.name, empty: "no car fits", onOpen: row => { location.hash = `#/cars/${encodeURIComponent(row.name)}`; },
    columns: [
      { name: "name", title: "Car", width: "minmax(110px,2fr)", text: row => row.name },
      { name: "state", title: "State", width: "104px", text: row => row.state, paint: (cell, row) => paintPill(cell, row.isEnabled ? row.state : "disabled", row.isEnabled ? tones[row.state] : "") },
      { name: "devices", title: "Devices", width: "62px", end: true, text: row => row.devices ?? 0 },
      { name: "statuses", title: "Statuses/s", width: "84px", end: true, text: row => row.statuses ?? 0 },
      { name: "commands", title: "Commands/s", width: "92px", end: true, text: row => row.commands ?? 0, wide: true },
      { name: "session", title: "Session", width: "100px", text: row => row.session ?? "", wide: true },
      { name: "problem", title: "Problem", width: "minmax(80px,2fr)", text: row => row.problem ?? "", wide: true },
    ],
  });
  const panel = h("section", { class: "card flush" }, list.element);
  const split = h("div", { class: "split alone" }, panel);
  const total = h("span", { class: "muted" });
  let detail = null;

  function show() {
    const all = rows("cars");
    const text = search.value.trim().toLowerCase();
    const tally = {};
    for (const car of all) tally[car.state] = (tally[car.state] ?? 0) + 1;
    for (const chip of chips) setText(chip.number, count(tally[chip.state] ?? 0));
    setText(total, `${all.length.toLocaleString()} cars`);
    const isFiltered = text || wanted.size;
    list.set(isFiltered ? all.filter(c => (!wanted.size || wanted.has(c.state)) && (!text || c.name.toLowerCase().includes(text))) : all,
      isFiltered ? undefined : table("cars").generation);
    markProblem(panel, "cars");
    detail?.update();
  }

  function open(name) {
    detail?.dispose();
    detail = name ? detailOf(name) : null;
    split.classList.toggle("alone", !detail);
    fill(split, panel, detail?.element);
    list.select(name ?? null);
  }

  const stop = follow(["cars"], show);
  open(chosen);
  return {
    element: h("div", { class: "page fixed" },
      h("header", { class: "page-head" }, h("h1", {}, "Cars"), total, h("div", { class: "chips" }, chips.map(c => c.element)), search), split),
    onPath: ([name]) => open(name),
    onEscape: () => { location.hash = "#/cars"; },
    dispose() { stop(); detail?.dispose(); list.dispose(); },
  };
}

function detailOf(name) {
  const path = `/api/fleet/cars/${encodeURIComponent(name)}`;
  const state = h("span", {});
  const about = h("div", {});
  const devices = h("ul", { class: "items" });
  const sessions = h("ul", { class: "items" });
  const live = h("div", { class: "live mono" });
  const liveBox = h("div", { class: "sub", hidden: true }, h("h2", {}, "Live, from the car (↑) and to it (↓)"), live);
  const problem = h("p", { class: "problem", hidden: true });
  const plot = new Plot({ lines: [{ name: "statuses/s", color: "--c1" }, { name: "commands/s", color: "--c2" }], points: 90, period: 1, label: `Rates of ${name}` });
  plot.element.classList.add("low");
  const enable = h("button", { type: "button", onclick: () => act(enable, () => call("PATCH", path, { enabled: !car?.isEnabled }), car?.isEnabled ? `${name} is disabled` : `${name} is enabled`).then(load) }, "…");
  const device = h("select", { "aria-label": "Device" });
  const text = h("textarea", { rows: 2, "aria-label": "Command", placeholder: "Data of the command, such as {\"speed\": 3}" });
  const send = h("button", { class: "primary", type: "submit" }, "Send");
  const answer = h("span", { class: "note", role: "status" });
  const form = h("form", { class: "form", onsubmit: event => {
    event.preventDefault();
    const target = known[device.selectedIndex];
    if (!target) return;
    act(send, () => call("POST", `${path}/commands`, { module: target.module, type: target.type ?? 0, role: target.role, name: target.name, priority: 0, text: text.value }))
      .then(result => { if (result) setText(answer, `${result.result} at ${time(Date.now())}`); });
  } }, field("Device", device), field("Data", text), h("div", { class: "row" }, send, answer));
  let known = [];
  let shown = "";
  let car = null;
  let isGone = false;

  async function load() {
    if (isGone) return;
    try {
      const view = await get(path);
      if (isGone) return;
      problem.hidden = true;
      const c = view.counters;
      fill(about, facts([
        ["Session", view.car.session ?? "none"], ["Since", view.sessionSince ? `${time(view.sessionSince)} (${ago(view.sessionSince)})` : "–"],
        ["Last message", ago(view.car.lastMessageAt)], ["Modules", view.modules.join(", ") || "none"],
        ["Sessions", `${c.sessions}, ${c.sessionsFailed} failed`], ["Statuses", `${c.statusesReceived.toLocaleString()}, ${c.statusesIgnored} ignored`],
        ["Commands", `${c.commandsSent.toLocaleString()} sent, ${c.commandsUndelivered} undelivered, ${view.outstandingCommands} waiting`],
        c.messagesRefused + c.messagesDropped ? ["Refused, dropped", `${c.messagesRefused}, ${c.messagesDropped}`] : null,
        view.car.lastError ? ["Last error", `${view.car.lastError} (${ago(view.car.lastErrorAt)})`] : null,
      ]));
      known = view.devices;
      const now = JSON.stringify(known);
      if (now !== shown) {
        shown = now;
        const was = device.selectedIndex;
        fill(device, known.map(d => h("option", {}, `${d.name || d.role} (module ${d.module}, type ${d.type}, ${d.role})`)));
        if (was >= 0 && was < known.length) device.selectedIndex = was;
        fill(devices, known.length ? known.map(d => h("li", {}, h("span", { class: "grow" }, h("b", {}, d.name || d.role)), pill(d.role), h("span", { class: "muted" }, `module ${d.module}, type ${d.type}`))) : h("li", { class: "muted" }, "none connected"));
        send.disabled = known.length === 0;
      }
      fill(sessions, view.sessions.length ? [...view.sessions].reverse().map(s => h("li", {}, h("span", { class: "mono" }, s.session), h("span", { class: "muted" }, `${time(s.since)} to ${time(s.until)}`), h("span", { class: "grow", title: s.reason }, s.reason)))
        : h("li", { class: "muted" }, "none ended yet"));
    } catch (error) {
      problem.hidden = false;
      setText(problem, error.message);
    }
  }

  // What goes to and from the car, where the broker is this process's own.
  let source = null;
  get("/api/fleet").then(fleet => {
    if (isGone || !fleet.broker.startsWith("embedded")) return;
    source = new EventSource(`/api/broker/subscribe?filter=${encodeURIComponent(`${fleet.company}/${name}/+`)}`);
    source.onerror = () => { liveBox.hidden = true; };
    source.onmessage = event => {
      liveBox.hidden = false;
      for (const message of JSON.parse(event.data).messages.slice(-liveMax)) {
        const isUp = message.topic.endsWith("/module_gateway");
        live.append(h("p", {}, h("time", { class: "muted" }, time(Date.now())), isUp ? " ↑ " : " ↓ ", readable(message)));
      }
      while (live.childElementCount > liveMax) live.firstElementChild.remove();
    };
  }).catch(() => { /* The rest of the page does without. */ });

  function update() {
    car = table("cars").rows.get(name) ?? null;
    if (!car) return;
    fill(state, pill(car.isEnabled ? car.state : "disabled", car.isEnabled ? tones[car.state] : ""));
    setText(enable, car.isEnabled ? "Disable" : "Enable");
  }

  const clock = setInterval(() => {
    if (document.hidden) return;
    load();
    plot.push(car?.statuses ?? 0, car?.commands ?? 0);
  }, 1000);
  load();
  update();
  return {
    element: h("section", { class: "card detail", "aria-label": `Car ${name}` },
      h("div", { class: "detail-head" }, h("h3", {}, name), state, enable, h("a", { href: "#/cars", class: "muted", "aria-label": "Close" }, "✕")),
      problem, about,
      h("div", { class: "sub" }, h("h2", {}, "Rates"), plot.element),
      h("div", { class: "sub" }, h("h2", {}, "Devices"), devices),
      liveBox,
      h("div", { class: "sub" }, h("h2", {}, "Send a command"), form),
      h("div", { class: "sub" }, h("h2", {}, "Ended sessions"), sessions)),
    update,
    dispose() { isGone = true; source?.close(); clearInterval(clock); plot.dispose(); },
  };
}
