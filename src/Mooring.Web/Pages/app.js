// The frame around the pages: navigation, keys, theme, and the state of the link to the server.
import { h, fill, toast, get, call } from "./dom.js";
import { follow, onLink, rows, figure, table } from "./live.js";
import { redrawAll } from "./plot.js";

const pages = [
  { path: "", name: "Overview", key: "o", load: () => import("./pages/overview.js") },
  { path: "cars", name: "Cars", key: "c", load: () => import("./pages/cars.js"), badge: () => figure("cars.failed") },
  { path: "agents", name: "Agents", key: "a", load: () => import("./pages/agents.js") },
  { path: "tunnels", name: "Tunnels", key: "u", load: () => import("./pages/tunnels.js") },
  { path: "chat", name: "Chat", key: "h", load: () => import("./pages/chat.js") },
  { path: "broker", name: "Broker", key: "b", load: () => import("./pages/broker.js") },
  { path: "events", name: "Events", key: "e", load: () => import("./pages/events.js") },
];

const main = document.getElementById("main");
const nav = document.getElementById("nav");
const link = document.getElementById("link");
const help = document.getElementById("help");
let current = null;
let turn = 0;

for (const page of pages) {
  page.mark = h("span", { class: "badge", hidden: true });
  page.link = h("a", { href: `#/${page.path}`, title: `g then ${page.key}` }, h("span", {}, page.name), page.mark);
  nav.append(page.link);
}

async function route() {
  const [path, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  const page = pages.find(p => p.path === path) ?? pages[0];
  for (const other of pages) other.link.toggleAttribute("data-here", other === page);
  for (const other of pages) other === page ? other.link.setAttribute("aria-current", "page") : other.link.removeAttribute("aria-current");
  document.title = page.path ? `${page.name} · Mooring` : "Mooring";
  if (current?.page === page && current.view.onPath) return current.view.onPath(rest);
  const own = ++turn;
  try {
    const module = await page.load();
    if (own !== turn) return;
    const former = current;
    current = null;
    const view = module.mount(rest);
    current = { page, view };
    fill(main, view.element);
    main.scrollTop = 0;
    former?.view.dispose?.();
  } catch (error) {
    if (own === turn) fill(main, h("p", { class: "problem" }, `This page cannot be shown: ${error.message}`));
  }
}

function decode(part) {
  try { return decodeURIComponent(part); } catch { return part; }
}

function toggleTheme() {
  const root = document.documentElement;
  const isDark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
  try { localStorage.setItem("mooring.theme", root.dataset.theme); } catch { /* Only this page then. */ }
  redrawAll();
}

function showHelp() {
  fill(help, h("h2", {}, "Keys"), h("dl", { class: "keys" },
    pages.map(p => [h("dt", {}, h("kbd", {}, "g"), " ", h("kbd", {}, p.key)), h("dd", {}, p.name)]),
    [["/", "search"], ["↑ ↓ PgUp PgDn Home End", "move in a list"], ["Enter", "open"], ["Esc", "close"], ["t", "light or dark"], ["?", "this"]]
      .map(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)])),
  h("div", { class: "row end" }, h("button", { type: "button", onclick: () => help.close() }, "Close")));
  help.showModal();
}

let awaitsPage = false;
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input,textarea,select,dialog")) {
    if (event.key === "Escape" && event.target.closest?.("input")) event.target.blur();
    return;
  }
  if (awaitsPage) {
    awaitsPage = false;
    const page = pages.find(p => p.key === event.key);
    if (page) { event.preventDefault(); location.hash = `#/${page.path}`; }
    return;
  }
  if (event.key === "g") awaitsPage = true;
  else if (event.key === "t") toggleTheme();
  else if (event.key === "?") showHelp();
  else if (event.key === "/") { const search = main.querySelector("input[type=search]"); if (search) { event.preventDefault(); search.focus(); } }
  else if (event.key === "Escape") current?.view.onEscape?.();
});

document.getElementById("theme").addEventListener("click", toggleTheme);
document.getElementById("keys").addEventListener("click", showHelp);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
addEventListener("hashchange", route);
addEventListener("mooring:login", () => { toast("You are not logged in", "bad"); location.href = "/login?next=%2F"; }, { once: true });

onLink(state => {
  link.textContent = state === "live" ? "live" : "no connection";
  link.dataset.state = state;
});

// Who has logged in can log out; on this machine alone nobody needs to.
get("/api/me").then(me => {
  if (me.means !== "session") return;
  const leave = h("button", { class: "quiet", type: "button", title: `Log out ${me.name} (${me.role})`, "aria-label": "Log out", onclick: () => call("POST", "/api/logout").finally(() => { location.href = "/login"; }) }, "⏻");
  document.getElementById("keys").after(leave);
}).catch(() => { /* No accounts here. */ });

follow(["systems", "figures"], () => {
  for (const page of pages) {
    const value = page.badge?.() ?? 0;
    page.mark.hidden = !value;
    page.mark.textContent = value;
  }
  const ill = rows("systems").filter(s => s.problem).length;
  const mark = pages[0].mark;
  mark.hidden = !ill && !table("systems").problem;
  mark.textContent = ill;
});

route();
