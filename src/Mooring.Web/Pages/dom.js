// Elements from code. Text only ever becomes text nodes, so that no name from the outside can become markup.

export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "style") for (const [key, v] of Object.entries(value)) element.style.setProperty(key, v);
    else if (name in element && name !== "list" && name !== "form" && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

// Writes only what differs: a text that stays keeps its selection and costs nothing.
export function setText(element, text) {
  const wanted = text === undefined || text === null ? "" : String(text);
  if (element.firstChild?.nodeType === 3 && !element.firstChild.nextSibling) {
    if (element.firstChild.data !== wanted) element.firstChild.data = wanted;
  } else if (element.textContent !== wanted || element.firstElementChild) element.textContent = wanted;
}

export function pill(text, tone) {
  return h("span", { class: `pill ${tone ?? ""}` }, text);
}

export function card(title, ...body) {
  return h("section", { class: "card" }, title ? h("h2", {}, title) : null, ...body);
}

export function field(label, input) {
  return h("label", { class: "field" }, h("span", {}, label), input);
}

export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(p => p).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value ?? "–")]));
}

export function toast(text, tone = "good") {
  const box = document.getElementById("toasts");
  const note = h("div", { class: `toast ${tone}`, role: tone === "bad" ? "alert" : "status" }, text);
  box.append(note);
  while (box.childElementCount > 4) box.firstElementChild.remove();
  setTimeout(() => note.remove(), tone === "bad" ? 9000 : 4000);
}

// ---- calls of the operator's API ------------------------------------------------------------------------------------

export class CallError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function call(method, path, body, signal) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      signal,
      headers: body === undefined ? { "X-Mooring-Console": "1" } : { "Content-Type": "application/json", "X-Mooring-Console": "1" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new CallError(0, "the server cannot be reached");
  }
  const text = await answer.text();
  let value = text;
  if (/json/.test(answer.headers.get("Content-Type") ?? "") && text) {
    try { value = JSON.parse(text); } catch { value = text; }
  }
  if (answer.status === 401) window.dispatchEvent(new CustomEvent("mooring:login"));
  if (!answer.ok) throw new CallError(answer.status, value?.detail ?? value?.title ?? value?.error ?? (typeof value === "string" && value.length < 300 && value ? value : `${method} ${path} was answered with ${answer.status}`));
  return value;
}

export const get = (path, signal) => call("GET", path, undefined, signal);

// Runs what a button asks for: the button waits, and what went wrong is said.
export async function act(button, work, done) {
  const wasDisabled = button?.disabled;
  if (button) button.disabled = true;
  try {
    const result = await work();
    if (done) toast(typeof done === "function" ? done(result) : done);
    return result;
  } catch (error) {
    toast(error.message, "bad");
    return undefined;
  } finally {
    if (button) button.disabled = wasDisabled;
  }
}

// Asks before something that cannot be undone.
export function confirmed(question, action) {
  const dialog = h("dialog", { class: "ask" });
  return new Promise(resolve => {
    const end = answer => { dialog.close(); dialog.remove(); resolve(answer); };
    const yes = h("button", { class: "danger", type: "button", onclick: () => end(true) }, action);
    fill(dialog, h("p", {}, question), h("div", { class: "row end" }, h("button", { type: "button", onclick: () => end(false) }, "Cancel"), yes));
    dialog.addEventListener("cancel", () => end(false));
    document.body.append(dialog);
    dialog.showModal();
    yes.focus();
  });
}

// ---- numbers and times ----------------------------------------------------------------------------------------------

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "2-digit" });

export function time(at) {
  if (!at) return "–";
  const date = new Date(at);
  if (isNaN(date)) return "–";
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}

export function ago(at) {
  if (!at || isNaN(new Date(at))) return "–";
  const seconds = Math.max(0, (Date.now() - new Date(at)) / 1000);
  return seconds < 5 ? "just now" : `${span(seconds)} ago`;
}

export function span(seconds) {
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function bytes(count) {
  if (count < 1024) return `${Math.round(count)} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit++; }
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

export function count(value) {
  return value === undefined ? "0" : Math.abs(value) >= 10000 ? `${(value / 1000).toFixed(value < 100000 ? 1 : 0)}k` : String(value);
}

export function rate(value) {
  return value ? `${count(value)}/s` : "0/s";
}

// What is no text is shown as far as it can be read: most protocols have words in them.
export function readable(message) {
  let text = message.text;
  if (text === null || text === undefined) {
    try { text = atob(message.base64); } catch { text = ""; }
    text = text.replace(/[^ -~]/g, "·");
  }
  text = text.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "·");
  return message.bytes > text.length * 4 ? `${text} … (${message.bytes} bytes)` : text;
}
