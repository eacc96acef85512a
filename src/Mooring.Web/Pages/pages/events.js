// What happens in all systems, filtered by system, severity and text.
import { h, setText, time } from "../dom.js";
import { follow, rows, table, markProblem } from "../live.js";
import { List, paintPill } from "../list.js";

export function tone(severity) {
  return severity === "alarm" ? "bad" : severity === "warning" ? "warn" : "";
}

const systems = ["fleet", "edge", "tunnel", "chat", "broker"];
const severities = ["notice", "warning", "alarm"];

export function chips(names, label, onChange) {
  const chosen = new Set();
  const buttons = names.map(name => h("button", { type: "button", "aria-pressed": "false", onclick: event => {
    chosen.has(name) ? chosen.delete(name) : chosen.add(name);
    event.currentTarget.setAttribute("aria-pressed", chosen.has(name));
    onChange();
  } }, name));
  return { element: h("div", { class: "chips", role: "group", "aria-label": label }, buttons), has: name => chosen.size === 0 || chosen.has(name) };
}

export function mount() {
  let isHeld = false;
  const search = h("input", { type: "search", placeholder: "Search  /", "aria-label": "Search events", oninput: () => show() });
  const bySystem = chips(systems, "System", () => show());
  const bySeverity = chips(severities, "Severity", () => show());
  const hold = h("button", { type: "button", "aria-pressed": "false", onclick: () => { isHeld = !isHeld; setText(hold, isHeld ? "Go on" : "Hold"); show(); } }, "Hold");
  const list = new List({
    label: "Events", key: row => String(row.number), sort: "at", descending: true, empty: "no event fits",
    columns: [
      { name: "at", title: "Time", width: "124px", text: row => time(row.at), sort: row => row.number },
      { name: "severity", title: "Severity", width: "84px", paint: (cell, row) => paintPill(cell, row.severity, tone(row.severity)), text: row => row.severity },
      { name: "system", title: "System", width: "70px", text: row => row.system },
      { name: "subject", title: "Subject", width: "minmax(90px,1fr)", text: row => row.subject },
      { name: "kind", title: "Kind", width: "150px", text: row => row.kind, wide: true },
      { name: "text", title: "What", width: "minmax(120px,3fr)", text: row => row.text, paint: (cell, row) => { setText(cell, row.text); cell.title = row.text; } },
    ],
  });
  const panel = h("section", { class: "card flush grow" }, list.element);

  function show() {
    if (isHeld) return;
    const wanted = search.value.trim().toLowerCase();
    const kept = rows("events").filter(e => bySystem.has(e.system) && bySeverity.has(e.severity)
      && (!wanted || `${e.subject} ${e.kind} ${e.text}`.toLowerCase().includes(wanted)));
    list.set(kept);
    markProblem(panel, "events");
  }

  const stop = follow(["events"], show);
  return {
    element: h("div", { class: "page fixed" }, h("header", { class: "page-head" }, h("h1", {}, "Events"), bySystem.element, bySeverity.element, search, hold), panel),
    dispose() { stop(); list.dispose(); },
  };
}
