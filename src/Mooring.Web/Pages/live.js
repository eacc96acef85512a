// The one event stream. Tables are maps that follow the server's; whoever shows one is told, at most once a frame, when it has changed.

const tables = new Map();
const watchers = new Set();
let source = null;
let shown = "";
let frame = 0;
let linkChanged = () => {};
const changed = new Set();

const keys = { systems: "name", figures: "name", cars: "name", agents: "id", operations: "id", tunnels: "id", requests: "number", rooms: "name", clients: "id", events: "number" };

export function table(name) {
  let found = tables.get(name);
  if (!found) tables.set(name, found = { rows: new Map(), problem: null, isKnown: false, generation: 0 });
  return found;
}

export const rows = name => [...table(name).rows.values()];
export const figure = name => table("figures").rows.get(name)?.value ?? 0;

// Follows some tables until the returned function is called.
export function follow(names, onChange) {
  const watcher = { names, onChange };
  watchers.add(watcher);
  reopen();
  if (names.some(name => table(name).isKnown)) { for (const name of names) changed.add(name); schedule(); }
  return () => { watchers.delete(watcher); queueMicrotask(reopen); };
}

// A browser has six connections to a server for all of its tabs together: one that nobody looks at gives its own back.
const sleepAfter = 20000;
let sleeping = 0;
document.addEventListener("visibilitychange", () => {
  clearTimeout(sleeping);
  if (document.hidden) sleeping = setTimeout(() => { source?.close(); source = null; shown = ""; }, sleepAfter);
  else reopen();
});

export function onLink(listener) { linkChanged = listener; }

function reopen() {
  const names = [...new Set([...watchers].flatMap(w => w.names))].sort().join(",");
  if (names === shown && source && source.readyState !== EventSource.CLOSED) return;
  source?.close();
  shown = names;
  if (!names) return;
  source = new EventSource(`/api/events?show=${names}`);
  const own = source;
  own.onopen = () => linkChanged("live");
  own.onerror = () => {
    if (own !== source) return;
    linkChanged("lost");
    // The browser gives up after an answer that is no stream, such as "too many"; we do not.
    if (own.readyState === EventSource.CLOSED) setTimeout(() => { if (own === source) { source = null; shown = ""; reopen(); } }, 3000);
  };
  for (const name of names.split(",")) own.addEventListener(name, event => apply(name, JSON.parse(event.data)));
}

function apply(name, told) {
  const target = table(name);
  const key = keys[name];
  if (told.whole) { target.rows = new Map(); target.problem = told.problem ?? null; target.generation++; }
  for (const row of told.set ?? []) {
    if (!target.rows.has(String(row[key]))) target.generation++;
    target.rows.set(String(row[key]), row);
  }
  for (const gone of told.gone ?? []) { target.rows.delete(gone); target.generation++; }
  target.isKnown = true;
  changed.add(name);
  schedule();
}

function schedule() {
  if (frame) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    const now = new Set(changed);
    changed.clear();
    for (const watcher of [...watchers]) {
      if (!watcher.names.some(name => now.has(name))) continue;
      try { watcher.onChange(now); } catch (error) { console.error(error); }
    }
  });
}

// Greys a panel whose system does not answer, and says why; the others go on.
export function markProblem(element, ...names) {
  const problem = names.map(name => table(name).problem).find(p => p);
  element.classList.toggle("grey", !!problem);
  let note = element.querySelector(":scope > .problem");
  if (problem && !note) element.prepend(note = document.createElement("p"));
  if (note) { note.className = "problem"; note.textContent = problem ?? ""; note.hidden = !problem; }
}
