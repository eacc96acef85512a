// Health, rates and alarms of all systems on one screen.
import { h, fill, setText, card, pill, time, count, get, rate } from "../dom.js";
import { follow, rows, figure, table, markProblem } from "../live.js";
import { Plot } from "../plot.js";
import { tone } from "./events.js";

const alarmMinutes = 15;
const many = (number, word) => `${count(number)} ${word}${number === 1 ? "" : "s"}`;

const systems = [
  { name: "fleet", title: "Fleet", page: "cars", value: () => [figure("cars.running"), `of ${many(figure("cars"), "car")}`], spark: "fleet.statuses", note: () => `${rate(figure("fleet.statuses"))} statuses` },
  { name: "hub", title: "Edge", page: "agents", value: () => [figure("agents.online"), `of ${many(figure("agents"), "agent")}`], spark: "agents.online", note: () => figure("agents") ? "online" : "enrol one: mooring hub enroll ID" },
  { name: "tunnel", title: "Tunnel", page: "tunnels", value: () => [figure("tunnels"), "open"], spark: "tunnel.requests", note: () => `${rate(figure("tunnel.requests"))} requests` },
  { name: "chat", title: "Chat", page: "chat", value: () => [figure("chat.clients"), `in ${many(figure("chat.rooms"), "room")}`], spark: "chat.messages", note: () => `${rate(figure("chat.messages"))} messages` },
  { name: "mqtt", title: "Broker", page: "broker", value: () => [figure("broker.clients"), `clients, ${figure("broker.local")} inside`], spark: "broker.received", note: () => `${rate(figure("broker.received"))} in, ${rate(figure("broker.sent"))} out` },
];

const plots = [
  { title: "Fleet, messages a second", lines: [["fleet.statuses", "statuses", "--c1"], ["fleet.commands", "commands", "--c2"]] },
  { title: "Broker, messages a second over the network", lines: [["broker.received", "received", "--c1"], ["broker.sent", "sent", "--c2"]] },
  { title: "Visitors and chat, a second", lines: [["tunnel.requests", "requests", "--c1"], ["chat.messages", "messages", "--c3"]] },
  { title: "This process", lines: [["processor", "processor %", "--c2"], ["memory", "memory MiB", "--c3"]] },
];

export function mount() {
  const tiles = systems.map(tileOf);
  const charts = plots.map(p => ({ ...p, plot: new Plot({ lines: p.lines.map(([, name, color]) => ({ name, color })), label: p.title }) }));
  const alarms = h("ul", { class: "items" });
  const alarmCard = card("Alarms", alarms);
  const latest = h("ul", { class: "items" });
  const latestCard = card("Latest events", latest, h("p", { class: "sub" }, h("a", { href: "#/events" }, "All events")));
  const status = h("span", { class: "pill" }, "…");
  let stamp = "";

  get("/api/console/history").then(history => {
    for (const tile of tiles) tile.plot.set([history.figures[tile.spark] ?? []]);
    for (const chart of charts) chart.plot.set(chart.lines.map(([name]) => history.figures[name] ?? []));
  }).catch(() => { /* The plots begin empty then. */ });

  const stop = follow(["systems", "figures", "events"], changed => {
    for (const tile of tiles) tile.update();
    if (changed.has("figures")) {
      const values = [...table("figures").rows.values()].map(f => f.value ?? 0).join();
      for (const tile of tiles) tile.plot.push(figure(tile.spark));
      for (const chart of charts) chart.plot.push(...chart.lines.map(([name]) => figure(name)));
      stamp = values;
    }
    const ill = rows("systems").filter(s => s.problem);
    setText(status, table("systems").problem ? "unknown" : ill.length ? `${ill.length} not ready` : "all systems ready");
    status.className = `pill ${ill.length || table("systems").problem ? "bad" : "good"}`;
    fill(alarms, alarmLines(ill));
    fill(latest, rows("events").slice(-9).reverse().map(line));
    markProblem(latestCard, "events");
  });

  // A second without change is a point too: the plots go on.
  const clock = setInterval(() => {
    const values = [...table("figures").rows.values()].map(f => f.value ?? 0).join();
    if (values !== stamp || !table("figures").isKnown) return;
    for (const tile of tiles) tile.plot.push(figure(tile.spark));
    for (const chart of charts) chart.plot.push(...chart.lines.map(([name]) => figure(name)));
  }, 2000);

  return {
    element: h("div", { class: "page" },
      h("header", { class: "page-head" }, h("h1", {}, "Overview"), status),
      h("div", { class: "tiles" }, tiles.map(t => t.element)),
      h("div", { class: "cards" }, charts.map(c => card(c.title, c.plot.element))),
      h("div", { class: "cards" }, alarmCard, latestCard)),
    dispose() {
      stop();
      clearInterval(clock);
      for (const item of [...tiles, ...charts]) item.plot.dispose();
    },
  };
}

function tileOf(system) {
  const state = h("span", { class: "tile-state" }, "…");
  const value = h("div", { class: "tile-value" });
  const note = h("div", { class: "tile-note" });
  const plot = new Plot({ lines: [{ name: system.title, color: "--c1" }], kind: "spark", points: 60, label: `${system.title} over the last minutes` });
  const element = h("a", { class: "card tile", href: `#/${system.page}`, "data-system": system.name },
    h("div", { class: "tile-head" }, system.title, state), value, note, plot.element);
  return {
    ...system, element, plot,
    update() {
      const row = table("systems").rows.get(system.name);
      const problem = table("systems").problem ?? row?.problem;
      setText(state, row || problem ? problem ?? "ready" : "not here");
      state.title = problem ?? "";
      state.classList.toggle("bad", !!problem);
      element.classList.toggle("grey", !!problem || !row);
      const [number, unit] = system.value();
      fill(value, count(number), " ", h("small", {}, unit));
      setText(note, system.note());
    },
  };
}

function alarmLines(ill) {
  const failed = figure("cars.failed");
  const since = Date.now() - alarmMinutes * 60000;
  const events = rows("events").filter(e => e.severity !== "notice" && e.severity && new Date(e.at) > since).slice(-8).reverse();
  const lines = [
    ...ill.map(s => h("li", {}, pill(s.name, "bad"), h("span", { class: "grow" }, s.problem))),
    failed ? h("li", {}, pill("fleet", "bad"), h("a", { class: "grow", href: "#/cars/" }, `${failed} car(s) in error`)) : null,
    ...events.map(line),
  ].filter(l => l);
  return lines.length ? lines : h("li", { class: "muted" }, `None in the last ${alarmMinutes} minutes`);
}

function line(event) {
  return h("li", {}, h("time", { class: "muted" }, time(event.at)), pill(event.system, tone(event.severity)), h("b", {}, event.subject), h("span", { class: "grow muted" }, event.text));
}
