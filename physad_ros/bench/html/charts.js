"use strict";
/* -- which methods are drawn ---------------------------------------------------------------------------------------- */

const measured = DATA.methods.filter((m) => m.auroc !== null);
const chosen = measured.slice(0, 4).map((m) => m.name);
if (measured.some((m) => m.name === "rules") && !chosen.includes("rules")) chosen.splice(3, 1, "rules");
const slots = new Array(MOST_DRAWN).fill(null);  // a method keeps its colour while it is drawn
chosen.forEach((name, i) => { slots[i] = name; });
const colour = (name) => `var(--s${slots.indexOf(name)})`;
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "5 2", "1 2"];
const redraws = [];

function choose(name) {
  const at = chosen.indexOf(name);
  if (at >= 0) {
    if (chosen.length === 1) return;
    chosen.splice(at, 1);
    slots[slots.indexOf(name)] = null;
  } else {
    if (chosen.length === MOST_DRAWN) choose(chosen[0]);
    slots[slots.indexOf(null)] = name;
    chosen.push(name);
  }
  showChips();
  redraws.forEach((draw) => draw());
}

function showChips() {
  one("#chosen").replaceChildren(...measured.map((m) => make("button", {
    type: "button", "aria-pressed": chosen.includes(m.name), style: `--mine:${chosen.includes(m.name) ? colour(m.name) : "transparent"}`,
    onclick: () => { choose(m.name); all("#chosen button").find((b) => b.textContent === m.name).focus(); },
  }, m.name)));
}

/* -- bars of each category -------------------------------------------------------------------------------------------- */

function bars(width) {
  const names = Math.min(150, width * 0.32), bar = 11, gap = 16, top = 20;
  const group = chosen.length * (bar + 2) + gap;
  const x = scale(0, 1, names, width - 14);
  const height = top + DATA.categories.length * group;
  const marks = [0, 0.25, 0.5, 0.75, 1].flatMap((v) => [
    line(x(v), top - 6, x(v), height - gap / 2, v === 0.5 ? "chance" : "grid"), text(x(v), 9, String(v), "middle"),
  ]);
  const groups = DATA.categories.flatMap((category, i) => {
    const y = top + i * group;
    return [text(0, y + (group - gap) / 2 + 4, category.replaceAll("_", " "), "start", "name"), ...chosen.flatMap((name, k) => barOf(x, y + k * (bar + 2), bar, name, category))];
  });
  return picture(width, height, "AUROC of each category and method", ...marks, ...groups);
}

function barOf(x, y, height, name, category) {
  const [value, low, high] = METHODS.get(name).by[category];
  if (value === null) return [text(x(0) + 4, y + height - 1, "–")];
  const words = `${name}, ${category}: ${fixed(value)} (${fixed(low)} to ${fixed(high)})`;
  return [
    make("rect", { x: x(0), y, height, width: Math.max(1, x(value) - x(0)), rx: 1.5, fill: colour(name), class: "bar" }, make("title", {}, words)),
    line(x(low), y + height / 2, x(high), y + height / 2, "whisker"), line(x(low), y + 3, x(low), y + height - 3, "whisker"), line(x(high), y + 3, x(high), y + height - 3, "whisker"),
  ];
}

/* -- ROC -------------------------------------------------------------------------------------------------------------- */

/** Scores of a method on a category's clips with one seed, as [score, anomalous]; those that are missing stand where they harm most, or are left out. */
function scored(name, category, seed, missing = true) {
  return DATA.clips.filter((c) => c.category === category && c.by[name] && c.by[name].scores[seed] !== null && (missing || !c.by[name].unscored[seed]))
    .map((c) => [c.by[name].scores[seed], c.by[name].truth[seed]]);
}

/** Share of anomalous clips found at each share of false alarms 0, 0.01 … 1; null without both kinds. */
function roc(pairs) {
  const positives = pairs.filter((p) => p[1]).length, negatives = pairs.length - positives;
  if (!positives || !negatives) return null;
  const points = [[0, 0]];
  let hits = 0, alarms = 0;
  const sorted = [...pairs].sort((a, b) => b[0] - a[0]);
  sorted.forEach(([score, anomalous], i) => {
    anomalous ? hits++ : alarms++;
    if (i + 1 === sorted.length || sorted[i + 1][0] !== score) points.push([alarms / negatives, hits / positives]);
  });
  return Array.from({ length: 101 }, (_, i) => at(points, i / 100));
}

function at(points, x) {
  let after = points.findIndex((p) => p[0] > x);
  if (after < 0) return points[points.length - 1][1];
  const [a, b] = [points[after - 1], points[after]];
  return a[1] + ((x - a[0]) / (b[0] - a[0])) * (b[1] - a[1]);
}

function meanRoc(name, categories) {
  const curves = categories.map((category) => {
    const seeds = DATA.seeds.map((_, s) => roc(scored(name, category, s))).filter(Boolean);
    return seeds.length ? mean(seeds) : null;
  }).filter(Boolean);
  return curves.length ? mean(curves) : null;
}

const mean = (curves) => curves[0].map((_, i) => curves.reduce((sum, c) => sum + c[i], 0) / curves.length);

function drawRoc(width) {
  const category = one("#curve-category").value;
  const size = Math.min(width, 460), x = scale(0, 1, 48, size - 8), y = scale(0, 1, size - 34, 8);
  one("#roc figcaption").textContent = category
    ? `ROC of ${category.replaceAll("_", " ")}, averaged over seeds.` : "ROC averaged over categories and seeds, at equal shares of false alarms.";
  const axes = [0, 0.25, 0.5, 0.75, 1].flatMap((v) => [
    line(x(v), y(0), x(v), y(1), "grid"), line(x(0), y(v), x(1), y(v), "grid"),
    text(x(v), y(0) + 15, String(v), "middle"), text(x(0) - 6, y(v) + 4, String(v), "end"),
  ]);
  const curves = chosen.flatMap((name) => {
    const curve = meanRoc(name, category ? [category] : DATA.categories);
    if (!curve) return [];
    const points = [[0, 0], ...curve.map((v, i) => [i / 100, v])].map(([a, b]) => [x(a), y(b)]);
    return [make("path", { d: path(points), class: "line roc", stroke: colour(name), "stroke-dasharray": DASHES[slots.indexOf(name)] }, make("title", {}, name))];
  });
  const legend = chosen.flatMap((name, i) => {
    const row = y(0) - 12 - 17 * (chosen.length - 1 - i);
    return [make("path", { d: path([[x(1) - 30, row - 4], [x(1) - 4, row - 4]]), class: "line", stroke: colour(name), "stroke-dasharray": DASHES[slots.indexOf(name)] }), text(x(1) - 36, row, name, "end", "name")];
  });
  const labels = [text(x(0.5), size - 2, "false alarms", "middle"), make("text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(9 ${y(0.5)}) rotate(-90)` }, "found")];
  return picture(width, size, "ROC curves", ...axes, line(x(0), y(0), x(1), y(1), "chance"), ...curves, ...legend, ...labels);
}

/* -- histograms ------------------------------------------------------------------------------------------------------- */

function drawHistograms(width) {
  const category = one("#curve-category").value, name = one("#curve-method").value;
  one("#histograms figcaption").textContent = `Scores by ${name}: normal test clips up, defective ones down; dashed is the threshold.` +
    (DATA.seeds.length > 1 ? ` Seed ${DATA.seeds[0]}.` : "");
  if (category) return histogram(width, 260, name, category);
  const columns = Math.max(1, Math.floor((width + 22) / 190)), each = (width - (columns - 1) * 22) / columns;
  return make("div", { class: "multiples", style: `--columns:${columns}` }, ...DATA.categories.map((of) => histogram(each, 118, name, of)));
}

function histogram(width, height, name, category) {
  const title = category.replaceAll("_", " ");
  const pairs = scored(name, category, 0, false), cut = METHODS.get(name).cuts[category][0];
  const head = text(0, 12, title, "start", "name");
  if (!pairs.length) return picture(width, height, title, head, text(0, 34, "no scores"));
  const values = [...pairs.map((p) => p[0]), ...(cut === null ? [] : [cut])].sort((a, b) => a - b);
  const [low, high] = [values[0], values[values.length - 1]], median = values[values.length >> 1];
  const far = high - low > 8 * Math.max(median - low, 1e-12);  // a long tail: by its logarithm
  const squeeze = far ? (v) => Math.log1p((v - low) / Math.max(median - low, (high - low) / 200)) : (v) => v;
  const bins = 26, x = scale(squeeze(low), squeeze(high), 2, width - 6), middle = (height + 6) / 2;
  const counts = [0, 1].map(() => new Array(bins).fill(0));
  for (const [score, anomalous] of pairs) counts[anomalous ? 1 : 0][Math.min(bins - 1, Math.floor(scale(squeeze(low), squeeze(high), 0, bins)(squeeze(score))))]++;
  const tall = scale(0, Math.max(...counts.flat()), 0, middle - 24), wide = (width - 8) / bins;
  const rects = counts.flatMap((of, k) => of.map((count, i) => count ? make("rect", {
    x: 2 + i * wide, width: Math.max(1, wide - 1), height: tall(count), y: k ? middle : middle - tall(count), class: k ? "anomalous" : "normal",
  }) : null));
  const marks = cut === null ? [] : [line(x(squeeze(cut)), 18, x(squeeze(cut)), height - 16, "cut")];
  return picture(width, height, `${title}: scores of normal and defective clips`, head, line(0, middle, width, middle, "grid"), ...rects, ...marks,
    text(2, height - 2, short(low)), text(width - 4, height - 2, short(high), "end"));
}

one("#curve-method").append(...measured.map((m) => option(m.name, m.name)));
one("#curve-category").append(option("", "all"), ...DATA.categories.map((c) => option(c, c.replaceAll("_", " "))));
if (measured.length) {
  redraws.push(drawn(one("#bars"), bars), drawn(one("#roc"), drawRoc), drawn(one("#histograms"), drawHistograms));
  showChips();
  redraws.forEach((draw) => draw());
  one("#curves").addEventListener("change", () => redraws.slice(1).forEach((draw) => draw()));
}
