"use strict";
const DATA = JSON.parse(document.getElementById("data").textContent);
const METHODS = new Map(DATA.methods.map((m) => [m.name, m]));
const MOST_DRAWN = 6;

/** Elements by selector. */
const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];

/** An element with attributes and children; text is never read as HTML. */
function make(name, attributes = {}, ...children) {
  const svg = /^(svg|g|path|line|rect|text|circle|title)$/.test(name);
  const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null) element.setAttribute(key, value);
  }
  element.append(...children.filter((c) => c !== null && c !== undefined));
  return element;
}

function option(value, text) { return make("option", { value }, text); }

function fixed(value, places = 3) { return value === null || Number.isNaN(value) ? "–" : value.toFixed(places); }

/** Scores need few digits, but of their own size. */
function short(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  return size >= 1000 || (size < 0.001 && size > 0) ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

/* -- light and dark ----------------------------------------------------------------------------------------------- */

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function setTheme(theme) { document.documentElement.dataset.theme = theme; }

function remembered() {
  try { return localStorage.getItem("physad-theme"); } catch { return null; }
}

setTheme(remembered() || (prefersDark.matches ? "dark" : "light"));
prefersDark.addEventListener("change", (event) => remembered() || setTheme(event.matches ? "dark" : "light"));
one("#theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  setTheme(theme);
  try { localStorage.setItem("physad-theme", theme); } catch { /* a page opened from a file may not keep anything */ }
});

/* -- tables ------------------------------------------------------------------------------------------------------- */

function sortBy(table, column, direction) {
  const heads = all("thead th", table);
  const body = one("tbody", table);
  const numeric = heads[column].dataset.sort === "number";
  const value = (row) => row.cells[column].dataset.value;
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...body.rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (!numeric) return sign * x.localeCompare(y);
    if (x === "" || y === "") return (x === "") - (y === "");  // what there is no number of stays last
    return sign * (Number(x) - Number(y));
  });
  body.append(...rows);
  heads.forEach((head, i) => (i === column ? head.setAttribute("aria-sort", direction) : head.removeAttribute("aria-sort")));
}

for (const table of all("table.sortable")) {
  for (const cell of all("tbody td:not([data-value])", table)) cell.dataset.value = cell.textContent.trim();
  all("thead th", table).forEach((head, column) => {
    if (!head.dataset.sort) return;
    const button = make("button", { type: "button", onclick: () => {
      const first = head.dataset.sort === "number" ? "descending" : "ascending";
      const other = first === "descending" ? "ascending" : "descending";
      sortBy(table, column, head.getAttribute("aria-sort") === first ? other : first);
    } }, ...head.childNodes);
    head.append(button);
  });
}

/* -- drawing ------------------------------------------------------------------------------------------------------ */

/** A linear scale. */
const scale = (from, to, low, high) => (v) => low + ((v - from) / (to - from || 1)) * (high - low);
const path = (points) => "M" + points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L");

/** Draw now and whenever the place's width changes; what was drawn before goes. */
function drawn(place, draw) {
  let width = 0;
  const again = () => {
    const now = Math.floor(place.clientWidth);
    if (!now) return;
    width = now;
    all(":scope > :not(figcaption)", place).forEach((old) => old.remove());
    place.append(draw(now));
  };
  new ResizeObserver(() => Math.floor(place.clientWidth) !== width && again()).observe(place);
  return again;
}

function picture(width, height, label, ...children) {
  return make("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label }, ...children);
}

const line = (x1, y1, x2, y2, css) => make("line", { x1, y1, x2, y2, class: css });
const text = (x, y, words, anchor = "start", css) => make("text", { x, y, "text-anchor": anchor, class: css }, words);
