// Edge agents: their machines, their runtimes, and what they are doing.
import { h, fill, setText, act, call, get, facts, time, span, field, pill, confirmed } from "../dom.js";
import { follow, rows, table, markProblem } from "../live.js";
import { List, paintPill, paintBar } from "../list.js";
import { Plot } from "../plot.js";

const tones = { online: "good", stale: "warn", offline: "" };
const operationTones = { running: "info", succeeded: "good", failed: "bad" };
const percent = (part, whole) => whole ? 100 * (part ?? 0) / whole : 0;

export function mount([chosen]) {
  const search = h("input", { type: "search", placeholder: "Search  /", "aria-label": "Search agents", oninput: () => show() });
  const total = h("span", { class: "muted" });
  const bar = (title, part, whole, unit) => ({
    title, width: "minmax(86px,1fr)", text: row => percent(part(row), whole(row)), sort: row => percent(part(row), whole(row)),
    paint: (cell, row) => paintBar(cell, percent(part(row), whole(row)), row.presence === "offline" ? "–" : unit(row)),
  });
  const list = new List({
    label: "Agents", key: row => row.id, empty: "no agent is enrolled: mooring hub enroll ID", onOpen: row => { location.hash = `#/agents/${encodeURIComponent(row.id)}`; },
    columns: [
      { name: "id", title: "Agent", width: "minmax(110px,2fr)", text: row => row.name || row.id, paint: (cell, row) => { setText(cell, row.name || row.id); cell.title = row.id; } },
      { name: "presence", title: "Presence", width: "86px", text: row => row.presence, paint: (cell, row) => paintPill(cell, row.presence, tones[row.presence]) },
      { name: "cpu", ...bar("Processor", row => row.cpu, () => 100, row => `${Math.round(row.cpu ?? 0)} %`) },
      { name: "memory", ...bar("Memory", row => row.memory, row => row.memoryTotal, row => `${row.memory ?? 0} GiB`) },
      { name: "disk", wide: true, ...bar("Disk", row => row.disk, row => row.diskTotal, row => `${row.disk ?? 0} GiB`) },
      { name: "version", title: "Version", width: "76px", text: row => row.version ?? "", wide: true },
    ],
  });
  const panel = h("section", { class: "card flush" }, list.element);
  const split = h("div", { class: "split alone" }, panel);
  let detail = null;

  function show() {
    const all = rows("agents");
    const text = search.value.trim().toLowerCase();
    setText(total, `${all.length.toLocaleString()} ${all.length === 1 ? "agent" : "agents"}, ${all.filter(a => a.presence === "online").length.toLocaleString()} online`);
    list.set(text ? all.filter(a => `${a.id} ${a.name}`.toLowerCase().includes(text)) : all, text ? undefined : table("agents").generation);
    markProblem(panel, "agents");
    detail?.update();
  }

  function open(id) {
    detail?.dispose();
    detail = id ? agentOf(id) : null;
    split.classList.toggle("alone", !detail);
    fill(split, panel, detail?.element);
    list.select(id ?? null);
  }

  const stop = follow(["agents", "operations"], show);
  open(chosen);
  return {
    element: h("div", { class: "page fixed" }, h("header", { class: "page-head" }, h("h1", {}, "Agents"), total, search), split),
    onPath: ([id]) => open(id),
    onEscape: () => { location.hash = "#/agents"; },
    dispose() { stop(); detail?.dispose(); list.dispose(); },
  };
}

function agentOf(id) {
  const path = `/api/orchestrators/${encodeURIComponent(id)}`;
  const presence = h("span", {});
  const about = h("div", {});
  const load = new Plot({ lines: [{ name: "processor", color: "--c1" }, { name: "memory", color: "--c2" }, { name: "disk", color: "--c3" }], max: 100, unit: " %", points: 120, period: 60, label: `Load of ${id}` });
  const operations = h("ul", { class: "items" });
  const runtimes = h("div", { class: "stack" });
  const known = new Map();
  let isGone = false;

  const name = h("input", { placeholder: "plc-1", "aria-label": "Name", required: true });
  const version = h("input", { placeholder: "latest", "aria-label": "Version" });
  const parent = h("input", { placeholder: "eth0; empty for no plant network", "aria-label": "Interface" });
  const create = h("button", { class: "primary", type: "submit" }, "Create");
  const form = h("form", { class: "form", onsubmit: event => {
    event.preventDefault();
    const body = { container_name: name.value, vnic_configs: parent.value ? [{ name: "eth0", parent_interface: parent.value, network_mode: "dhcp" }] : [] };
    if (version.value) body.runtime_version = version.value;
    act(create, () => call("POST", `${path}/devices`, body), `${name.value} is being created`).then(() => loadRuntimes());
  } }, h("div", { class: "two" }, field("Name", name), field("Version", version)), field("Interface of the plant network", parent), h("div", { class: "row end" }, create));

  function update() {
    const row = table("agents").rows.get(id);
    fill(presence, row ? pill(row.presence, tones[row.presence]) : pill("forgotten"));
    fill(about, row ? facts([["Id", h("span", { class: "mono" }, row.id)], ["Version", row.version], ["Processor", `${row.cpu ?? 0} %`], ["Memory", `${row.memory ?? 0} of ${row.memoryTotal ?? 0} GiB`], ["Disk", `${row.disk ?? 0} of ${row.diskTotal ?? 0} GiB`]]) : null);
    const own = rows("operations").filter(o => o.agent === id).sort((a, b) => b.id - a.id).slice(0, 8);
    fill(operations, own.length ? own.map(o => h("li", {}, pill(o.state, operationTones[o.state]), h("b", {}, o.device), h("span", {}, o.topic), h("span", { class: "grow muted", title: o.problem ?? "" }, o.problem ?? o.step ?? ""), h("time", { class: "muted" }, time(o.updatedAt))))
      : h("li", { class: "muted" }, "nothing was asked of it"));
  }

  async function loadHistory() {
    try {
      const beats = (await get(`${path}/history?most=120`)).reverse();
      if (isGone) return;
      load.set([beats.map(b => b.beat.cpu_usage ?? 0), beats.map(b => percent(b.beat.memory_usage, b.beat.memory_total)), beats.map(b => percent(b.beat.disk_usage, b.beat.disk_total))]);
    } catch { /* The plot stays as it is. */ }
  }

  async function loadRuntimes() {
    try {
      const devices = await get(`${path}/devices`);
      if (isGone) return;
      const names = new Set(devices.map(d => d.deviceId));
      for (const [device, view] of known) if (!names.has(device)) { view.element.remove(); known.delete(device); }
      for (const device of names) {
        if (!known.has(device)) { const view = runtimeOf(path, device); known.set(device, view); runtimes.append(view.element); }
        known.get(device).load();
      }
      none.hidden = names.size > 0;
    } catch (error) {
      none.hidden = false;
      setText(none, error.message);
    }
  }

  const none = h("p", { class: "muted" }, "none was created through this hub");
  const clock = setInterval(() => { if (!document.hidden) loadRuntimes(); }, 3000);
  const slow = setInterval(loadHistory, 60000);
  update();
  loadHistory();
  loadRuntimes();
  return {
    element: h("section", { class: "card detail", "aria-label": `Agent ${id}` },
      h("div", { class: "detail-head" }, h("h3", {}, id), presence, h("a", { href: "#/agents", class: "muted", "aria-label": "Close" }, "✕")),
      about,
      h("div", { class: "sub" }, h("h2", {}, "Load of the last two hours"), load.element),
      h("div", { class: "sub" }, h("h2", {}, "Operations"), operations),
      h("div", { class: "sub" }, h("h2", {}, "Runtimes"), none, runtimes),
      h("div", { class: "sub" }, h("h2", {}, "Create a runtime"), form)),
    update,
    dispose() { isGone = true; clearInterval(clock); clearInterval(slow); load.dispose(); },
  };
}

function runtimeOf(agent, device) {
  const path = `${agent}/devices/${encodeURIComponent(device)}`;
  const state = h("span", {}, pill("…"));
  const about = h("div", { class: "note" });
  const use = new Plot({ lines: [{ name: "processor %", color: "--c1" }, { name: "memory MiB", color: "--c2" }], points: 60, period: 60, label: `Consumption of ${device}` });
  use.element.classList.add("low");
  const output = h("pre", { hidden: true });
  const button = (label, work, done) => { const b = h("button", { type: "button", class: "small", onclick: () => act(b, work, done).then(load) }, label); return b; };
  const start = button("Start", () => call("POST", `${path}/start`), `${device} starts`);
  const stop = button("Stop", () => call("POST", `${path}/stop`), `${device} stops`);
  const restart = button("Restart", () => call("POST", `${path}/restart`), `${device} restarts`);
  const logs = h("button", { type: "button", class: "small", onclick: () => act(logs, async () => { const view = await get(`${path}/logs?tail=100`); output.hidden = false; setText(output, typeof view.logs === "string" ? view.logs : JSON.stringify(view.logs ?? view, null, 1)); }) }, "Log");
  const remove = h("button", { type: "button", class: "small danger", onclick: async () => {
    if (await confirmed(`Delete the runtime ${device} with everything in it?`, "Delete")) act(remove, () => call("DELETE", path), `${device} is being deleted`);
  } }, "Delete");
  const method = h("select", { "aria-label": "Method" }, ["GET", "POST", "PUT", "DELETE"].map(m => h("option", {}, m)));
  const api = h("input", { class: "mono", placeholder: "api/status", "aria-label": "Path", required: true });
  const body = h("textarea", { rows: 2, placeholder: "JSON body, if any", "aria-label": "Body" });
  const run = h("button", { type: "submit", class: "small primary" }, "Call");
  const form = h("form", { class: "form", onsubmit: event => {
    event.preventDefault();
    act(run, async () => {
      const command = { method: method.value, api: api.value };
      if (body.value.trim()) command.data = JSON.parse(body.value);
      const answer = await call("POST", `${path}/run-command`, command);
      output.hidden = false;
      setText(output, typeof answer === "string" ? answer : JSON.stringify(answer, null, 1));
    });
  } }, h("div", { class: "row" }, h("div", {}, method), h("div", { class: "grow" }, api), run), body);
  let looks = 0;

  async function load() {
    try {
      const view = await get(path);
      const word = view.container_status ?? view.status;
      fill(state, pill(view.step ? `${word}: ${view.step}` : word, view.is_running ? "good" : view.status === "error" ? "bad" : "warn"));
      setText(about, [view.internal_ip, view.uptime_seconds !== undefined ? `up ${span(view.uptime_seconds)}` : null, view.restart_count ? `${view.restart_count} restarts` : null, view.error ?? view.message].filter(x => x).join(" · "));
      start.disabled = !!view.is_running;
      stop.disabled = restart.disabled = !view.is_running;
      if (looks++ % 10 === 0 && view.is_running) {
        const series = await get(`${path}/consumption?cpuPeriod=1h&memoryPeriod=1h&max_points=60`);
        use.set([(series.cpu_usage ?? []).map(p => p.cpu), (series.memory_usage ?? []).map(p => p.memory)]);
      }
    } catch (error) {
      fill(state, pill("unknown", "warn"));
      setText(about, error.message);
    }
  }

  return {
    element: h("div", { class: "card runtime" }, h("div", { class: "row" }, h("h3", { class: "grow" }, device), state), about,
      h("div", { class: "row" }, start, stop, restart, logs, remove), h("details", {}, h("summary", {}, "Consumption"), use.element), h("details", {}, h("summary", {}, "Call its REST API"), form), output),
    load,
  };
}
