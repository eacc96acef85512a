// Lines over time on a canvas: from the small one in a tile to the one with axes. Colours come from the style sheet, so that themes are one place.
import { h } from "./dom.js";

const observed = new Map();
const sizes = new ResizeObserver(entries => { for (const entry of entries) observed.get(entry.target)?.draw(); });
export function redrawAll() { for (const plot of observed.values()) plot.draw(); }

export class Plot {
  // lines: [{ name, color: "--c1" }]; kind "spark" has no axes; max fixes the top; unit follows the numbers.
  constructor({ lines, kind = "plot", max, unit = "", period = 2, points = 150, label }) {
    Object.assign(this, { lines, kind, max, unit, period, points });
    this.series = lines.map(() => []);
    this.canvas = h("canvas", { role: "img", "aria-label": label ?? lines.map(l => l.name).join(", ") });
    this.element = h("div", { class: kind }, this.canvas, kind === "spark" ? null : h("div", { class: "legend" }, lines.map(line => {
      line.value = h("b", {}, "–");
      return h("span", {}, h("i", { style: { background: `var(${line.color})` } }), line.name, " ", line.value);
    })));
    this.hover = null;
    if (kind !== "spark") {
      this.canvas.addEventListener("pointermove", event => { this.hover = event.offsetX; this.draw(); });
      this.canvas.addEventListener("pointerleave", () => { this.hover = null; this.draw(); });
    }
    observed.set(this.element, this);
    sizes.observe(this.element);
  }

  set(series) {
    this.series = series.map(points => points.slice(-this.points));
    this.draw();
  }

  push(...values) {
    values.forEach((value, i) => {
      this.series[i].push(value);
      if (this.series[i].length > this.points) this.series[i].shift();
    });
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    const scale = devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    const isSpark = this.kind === "spark";
    const left = isSpark ? 0 : 40, bottom = isSpark ? 1 : 18, top = isSpark ? 2 : 6;
    const top_ = this.max ?? nice(Math.max(0, ...this.series.flat()));
    const y = value => top + (height - top - bottom) * (1 - Math.min(1, value / (top_ || 1)));
    const x = (index, length) => left + (width - left - 1) * ((this.points - length + index) / (this.points - 1));
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!isSpark) this.axes(context, style, { width, height, left, bottom, y, top_ });
    this.series.forEach((points, i) => {
      if (points.length < 2) return;
      const color = style.getPropertyValue(this.lines[i].color).trim() || "#888";
      context.beginPath();
      points.forEach((value, index) => context[index ? "lineTo" : "moveTo"](x(index, points.length), y(value)));
      context.strokeStyle = color;
      context.lineWidth = 1.5;
      context.lineJoin = "round";
      context.stroke();
      context.lineTo(x(points.length - 1, points.length), height - bottom);
      context.lineTo(x(0, points.length), height - bottom);
      context.globalAlpha = 0.12;
      context.fillStyle = color;
      context.fill();
      context.globalAlpha = 1;
    });
    this.legend(context, style, { left, width, height, bottom, top });
  }

  axes(context, style, { width, height, left, bottom, y, top_ }) {
    context.font = `11px ${style.fontFamily}`;
    context.fillStyle = style.getPropertyValue("--muted");
    context.strokeStyle = style.getPropertyValue("--line");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const part of [0, 0.5, 1]) {
      const at = Math.round(y(top_ * part)) + 0.5;
      context.beginPath();
      context.moveTo(left, at);
      context.lineTo(width, at);
      context.stroke();
      context.fillText(short(top_ * part), left - 6, at);
    }
    context.textBaseline = "alphabetic";
    const total = this.points * this.period;
    for (const [part, align] of [[0, "left"], [0.5, "center"], [1, "right"]]) {
      context.textAlign = align;
      const seconds = total * (1 - part);
      context.fillText(seconds === 0 ? "now" : seconds >= 7200 ? `-${Math.round(seconds / 3600)} h` : seconds >= 120 ? `-${Math.round(seconds / 60)} min` : `-${seconds} s`, left + (width - left) * part, height - bottom + 13);
    }
  }

  legend(context, style, { left, width, height, bottom, top }) {
    if (this.kind === "spark") return;
    let back = 0;
    if (this.hover !== null && this.hover >= left) {
      back = Math.round((1 - (this.hover - left) / (width - left)) * (this.points - 1));
      context.strokeStyle = style.getPropertyValue("--muted");
      context.beginPath();
      context.moveTo(this.hover, top);
      context.lineTo(this.hover, height - bottom);
      context.stroke();
    }
    this.lines.forEach((line, i) => {
      const value = this.series[i].at(-1 - back);
      line.value.textContent = value === undefined ? "–" : `${short(value)}${this.unit}`;
    });
  }

  dispose() {
    sizes.unobserve(this.element);
    observed.delete(this.element);
  }
}

function nice(value) {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map(step => step * unit).find(step => step >= value);
}

function short(value) {
  if (value >= 1e6) return `${+(value / 1e6).toFixed(1)}M`;
  if (value >= 1e4) return `${+(value / 1e3).toFixed(1)}k`;
  return String(+value.toFixed(value < 10 ? 1 : 0));
}
