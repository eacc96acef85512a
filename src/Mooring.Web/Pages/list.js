// A list of any length of which only the rows in sight exist. Arrows, page keys, Home and End move, Enter opens; a click on a heading sorts.
import { h, setText } from "./dom.js";

const names = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

export class List {
  // columns: { name, title, width, text(row) or paint(cell, row), sort(row), wide, end }
  constructor({ columns, key, label, onOpen, rowHeight = 32, empty = "nothing here", sort, descending = false }) {
    this.columns = columns;
    this.key = key;
    this.onOpen = onOpen;
    this.rowHeight = rowHeight;
    this.sortBy = sort ?? columns[0].name;
    this.descending = descending;
    this.items = [];
    this.source = [];
    this.pool = [];
    this.cursor = -1;
    this.openKey = null;
    this.ranks = new Map();
    this.generation = -1;
    this.head = h("div", { class: "list-head", role: "row" }, columns.map(c => h("button", {
      type: "button", class: cellClass(c), role: "columnheader", tabindex: "-1", onclick: () => this.sort(c),
    }, c.title)));
    this.sheet = h("div", { class: "list-sheet", role: "rowgroup" });
    this.none = h("p", { class: "list-empty", hidden: true }, empty);
    this.body = h("div", { class: "list-body", tabindex: "0", role: "grid", "aria-label": label }, this.sheet, this.none);
    this.element = h("div", { class: "list" }, this.head, this.body);
    this.element.style.setProperty("--cols", columns.map(c => c.width ?? "1fr").join(" "));
    this.element.style.setProperty("--cols-narrow", columns.filter(c => !c.wide).map(c => c.width ?? "1fr").join(" "));
    this.body.addEventListener("scroll", () => this.paint(), { passive: true });
    this.body.addEventListener("keydown", event => this.onKey(event));
    this.body.addEventListener("click", event => {
      const row = event.target.closest(".list-row");
      if (row && !event.target.closest("a,button,input")) { this.cursor = Number(row.dataset.index); this.open(); }
    });
    this.sizes = new ResizeObserver(() => this.paint());
    this.sizes.observe(this.body);
    this.markHead();
  }

  // generation changes when rows came or went: only then the names are put in order anew.
  set(rows, generation = Math.random()) {
    if (generation !== this.generation) {
      this.generation = generation;
      const byName = rows.map(this.key).sort(names.compare);
      this.ranks = new Map(byName.map((key, index) => [key, index]));
    }
    this.source = rows;
    this.arrange();
  }

  arrange() {
    const kept = this.cursor >= 0 && this.items[this.cursor] ? this.key(this.items[this.cursor]) : null;
    const column = this.columns.find(c => c.name === this.sortBy);
    const of = column.sort ?? column.text;
    const sign = this.descending ? -1 : 1;
    const rank = row => this.ranks.get(this.key(row)) ?? 0;
    const isFirst = column === this.columns[0] && !column.sort;
    this.items = [...this.source].sort(isFirst
      ? (a, b) => sign * (rank(a) - rank(b))
      : (a, b) => { const x = of(a), y = of(b); return x < y ? -sign : x > y ? sign : rank(a) - rank(b); });
    if (kept !== null) this.cursor = this.items.findIndex(row => this.key(row) === kept);
    this.sheet.style.height = `${this.items.length * this.rowHeight}px`;
    this.body.setAttribute("aria-rowcount", this.items.length);
    this.none.hidden = this.items.length > 0;
    this.paint();
  }

  sort(column) {
    if (this.sortBy === column.name) this.descending = !this.descending;
    else { this.sortBy = column.name; this.descending = !!column.end; }
    this.markHead();
    this.arrange();
  }

  markHead() {
    this.columns.forEach((c, i) => this.head.children[i].setAttribute("aria-sort", c.name !== this.sortBy ? "none" : this.descending ? "descending" : "ascending"));
  }

  paint() {
    const height = this.body.clientHeight || 600;
    const first = Math.max(0, Math.min(this.items.length - 1, Math.floor(this.body.scrollTop / this.rowHeight)) - 3);
    const last = Math.min(this.items.length, first + Math.ceil(height / this.rowHeight) + 6);
    const wanted = Math.max(0, last - first);
    while (this.pool.length < wanted) {
      const row = h("div", { class: "list-row", role: "row" }, this.columns.map(c => h("div", { class: cellClass(c), role: "gridcell" })));
      this.pool.push(row);
      this.sheet.append(row);
    }
    while (this.pool.length > wanted + 40) this.pool.pop().remove();
    this.pool.forEach((row, i) => {
      const index = first + i;
      row.hidden = i >= wanted;
      if (row.hidden) return;
      const item = this.items[index];
      row.dataset.index = index;
      row.style.transform = `translateY(${index * this.rowHeight}px)`;
      row.classList.toggle("cursor", index === this.cursor);
      row.classList.toggle("open", this.key(item) === this.openKey);
      row.setAttribute("aria-rowindex", index + 1);
      this.columns.forEach((c, j) => {
        const cell = row.children[j];
        if (c.paint) c.paint(cell, item);
        else setText(cell, c.text(item));
      });
    });
  }

  select(key) {
    this.openKey = key;
    const index = this.items.findIndex(row => this.key(row) === key);
    if (index >= 0 && this.cursor < 0) { this.cursor = index; this.reveal(); }
    this.paint();
  }

  open() {
    const row = this.items[this.cursor];
    if (!row) return;
    this.paint();
    this.onOpen?.(row);
  }

  onKey(event) {
    const page = Math.max(1, Math.floor(this.body.clientHeight / this.rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) {
      event.preventDefault();
      this.cursor = Math.min(this.items.length - 1, Math.max(0, this.cursor + steps[event.key]));
      this.reveal();
      this.paint();
    } else if (event.key === "Enter" && event.target === this.body) {
      event.preventDefault();
      this.open();
    }
  }

  reveal() {
    const top = this.cursor * this.rowHeight;
    if (top < this.body.scrollTop) this.body.scrollTop = top;
    else if (top + this.rowHeight > this.body.scrollTop + this.body.clientHeight) this.body.scrollTop = top + this.rowHeight - this.body.clientHeight;
  }

  dispose() { this.sizes.disconnect(); }
}

function cellClass(column) {
  return `cell${column.wide ? " wide" : ""}${column.end ? " end" : ""}`;
}

// A cell with a pill, made once and changed after that.
export function paintPill(cell, text, tone) {
  let mark = cell.firstElementChild;
  if (!mark) cell.replaceChildren(mark = document.createElement("span"));
  const wanted = `pill ${tone ?? ""}`;
  if (mark.className !== wanted) mark.className = wanted;
  setText(mark, text);
}

// A cell with a bar of 0 to 100 percent.
export function paintBar(cell, percent, text) {
  let bar = cell.firstElementChild;
  if (!bar) cell.replaceChildren(bar = h("span", { class: "bar" }, h("i"), h("b")));
  bar.firstElementChild.style.width = `${Math.max(0, Math.min(100, percent))}%`;
  bar.classList.toggle("hot", percent >= 90);
  setText(bar.lastElementChild, text);
}
