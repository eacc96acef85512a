// Open tunnels, and the requests of their visitors as they come.
import { h, fill, setText, act, call, time, ago, bytes, count, facts, pill, confirmed } from "../dom.js";
import { follow, rows, table, markProblem } from "../live.js";
import { List, paintPill } from "../list.js";

const statusTone = status => status >= 500 ? "bad" : status >= 400 ? "warn" : status >= 300 ? "info" : "good";

export function mount([chosen]) {
  const tunnels = new List({
    label: "Tunnels", key: row => row.id, empty: "no tunnel is open: mooring tunnel http 8080", onOpen: row => { location.hash = `#/tunnels/${encodeURIComponent(row.id)}`; },
    columns: [
      { name: "id", title: "Tunnel", width: "minmax(100px,1fr)", text: row => row.id },
      { name: "url", title: "Address", width: "minmax(150px,2fr)", text: row => row.url },
      { name: "protocol", title: "Kind", width: "58px", text: row => row.protocol, paint: (cell, row) => paintPill(cell, row.protocol, "info") },
      { name: "requests", title: "Requests/s", width: "88px", end: true, text: row => row.requests ?? 0 },
      { name: "total", title: "Requests", width: "78px", end: true, text: row => row.total ?? 0, wide: true },
      { name: "bytes", title: "Bytes/s", width: "84px", end: true, text: row => bytes(row.bytes ?? 0), sort: row => row.bytes ?? 0, wide: true },
      { name: "client", title: "Client", width: "120px", text: row => row.client, wide: true },
    ],
  });
  const search = h("input", { type: "search", placeholder: "Search requests  /", "aria-label": "Search requests", oninput: () => show() });
  const requests = new List({
    label: "Requests", key: row => String(row.number), sort: "at", descending: true, empty: "no request yet",
    columns: [
      { name: "at", title: "Time", width: "80px", text: row => time(row.at), sort: row => row.number },
      { name: "status", title: "Status", width: "58px", text: row => row.status, paint: (cell, row) => paintPill(cell, row.status, statusTone(row.status)) },
      { name: "method", title: "Method", width: "66px", text: row => row.method },
      { name: "path", title: "Path", width: "minmax(120px,3fr)", text: row => row.path, paint: (cell, row) => { setText(cell, row.path); cell.title = row.path; } },
      { name: "tunnel", title: "Tunnel", width: "minmax(80px,1fr)", text: row => row.tunnel, wide: true },
      { name: "milliseconds", title: "ms", width: "64px", end: true, text: row => row.milliseconds ?? 0 },
      { name: "bytes", title: "Bytes", width: "76px", end: true, text: row => bytes(row.bytes ?? 0), sort: row => row.bytes ?? 0, wide: true },
      { name: "visitor", title: "Visitor", width: "110px", text: row => row.visitor, wide: true },
    ],
  });
  const upper = h("section", { class: "card flush" }, tunnels.element);
  const lower = h("section", { class: "card flush grow" }, requests.element);
  const about = h("section", { class: "card", hidden: true });
  let open = chosen;

  function show() {
    tunnels.set(rows("tunnels"), table("tunnels").generation);
    const text = search.value.trim().toLowerCase();
    requests.set(rows("requests").filter(r => (!open || r.tunnel === open) && (!text || `${r.method} ${r.path} ${r.status} ${r.visitor}`.toLowerCase().includes(text))));
    markProblem(upper, "tunnels");
    markProblem(lower, "requests");
    const row = open ? table("tunnels").rows.get(open) : null;
    about.hidden = !open;
    if (open) showAbout(row);
  }

  let shownAbout = "";
  function showAbout(row) {
    const now = JSON.stringify([open, row]);
    if (now === shownAbout) return;
    shownAbout = now;
    const close = h("button", { type: "button", class: "danger", disabled: !row, onclick: async () => {
      if (await confirmed(`Close the tunnel ${open}? Its client is disconnected, with all of its tunnels.`, "Close the tunnel"))
        act(close, () => call("DELETE", `/admin/v1/tunnels/${encodeURIComponent(open)}`), `${open} is closed`);
    } }, "Close the tunnel");
    fill(about, h("div", { class: "detail-head" }, h("h3", {}, open), row?.protocol === "http" ? h("a", { class: "button", href: safeUrl(row.url), target: "_blank", rel: "noreferrer" }, "Visit") : null, close, h("a", { href: "#/tunnels", class: "muted", "aria-label": "Close" }, "✕")),
      row ? facts([["Address", row.url], ["Account", row.account], ["Client", row.client], ["Open since", `${time(row.createdAt)} (${ago(row.createdAt)})`], ["Requests", count(row.total ?? 0)]]) : h("p", { class: "muted" }, "This tunnel is closed."));
  }

  const stop = follow(["tunnels", "requests"], show);
  tunnels.select(open ?? null);
  show();
  return {
    element: h("div", { class: "page fixed" }, h("header", { class: "page-head" }, h("h1", {}, "Tunnels"), search), h("div", { class: "tunnels" }, upper, about), lower),
    onPath: ([id]) => { open = id; tunnels.select(id ?? null); show(); },
    onEscape: () => { location.hash = "#/tunnels"; },
    dispose() { stop(); tunnels.dispose(); requests.dispose(); },
  };
}

// An address that a client chose must not become a script.
function safeUrl(url) {
  try {
    const parsed = new URL(url);
    return parsed.protocol === "http:" || parsed.protocol === "https:" ? parsed.href : undefined;
  } catch {
    return undefined;
  }
}
