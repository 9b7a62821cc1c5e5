"use strict";
/* -- which clips are listed --------------------------------------------------------------------------------------------- */

const filters = one("#clip-filters");
let current = null;  // the clip shown
let visible = [];

/** What a method said of a clip, or null: its score, threshold and whether that was right, with the first seed that tested it. */
function judged(clip, name) {
  const by = clip.by[name];
  if (!by) return null;
  const seed = by.scores.findIndex((s) => s !== null);
  const called = by.called[seed], truth = by.truth[seed], cut = METHODS.get(name).cuts[clip.category][seed], unscored = by.unscored[seed];
  const how = unscored ? "no score" : cut === null ? "not judged" : called === truth ? (called ? "found" : "passed") : called ? "false alarm" : "missed";
  return { ...by, score: unscored ? null : by.scores[seed], truth, cut, right: how === "found" || how === "passed", how, seed };
}

function fits(clip) {
  const want = Object.fromEntries(new FormData(filters));
  const said = judged(clip, want.method);
  if (!said || (want.category && clip.category !== want.category) || (want.label && clip.label !== want.label)) return false;
  return { "": true, right: said.right, wrong: !said.right, missed: said.how === "missed", alarm: said.how === "false alarm" }[want.judged];
}

function showLabels() {
  const category = filters.elements.category.value, before = filters.elements.label.value;
  const labels = [...new Set(DATA.clips.filter((c) => !category || c.category === category).map((c) => c.label))].sort();
  filters.elements.label.replaceChildren(option("", "any"), ...labels.map((l) => option(l, l.replaceAll("_", " "))));
  if (labels.includes(before)) filters.elements.label.value = before;
}

function showList() {
  const name = filters.elements.method.value;
  visible = DATA.clips.filter(fits);
  one("#count").textContent = `${visible.length} of ${DATA.clips.length} clips`;
  const items = visible.map((clip) => make("li", {}, entry(clip, judged(clip, name))));
  one("#list").replaceChildren(...(items.length ? items : [make("li", { class: "empty" }, "No clip is like that.")]));
  if (!visible.includes(current)) current = visible[0] || null;
  showClip();
}

function entry(clip, said) {
  return make("button", { type: "button", "data-clip": clip.id, "aria-current": String(clip === current), onclick: () => select(clip) },
    make("span", {}, make("b", {}, clip.label.replaceAll("_", " ")), make("small", {}, `${clip.category.replaceAll("_", " ")} · ${clip.name}`)),
    sparkline(said.curve), make("span", { class: `verdict${said.right ? "" : " wrong"}` }, said.how));
}

function select(clip) {
  current = clip;
  all("#list button").forEach((b) => b.setAttribute("aria-current", String(b.dataset.clip === String(clip.id))));
  showClip();
  if (matchMedia("(max-width: 60rem)").matches) one("#clip").scrollIntoView({ block: "start" });
}

one("#list").addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], buttons = all("#list button");
  const next = step && buttons[buttons.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  next.focus();
  next.click();
});

/* -- one clip ----------------------------------------------------------------------------------------------------------- */

/** A curve as it is stored, one byte a point between its low and high. */
function points(curve) {
  const bytes = atob(curve.bytes);
  return Array.from(bytes, (c) => curve.low + (c.charCodeAt(0) / 255) * (curve.high - curve.low));
}

function sparkline(curve) {
  const values = points(curve), x = scale(0, values.length - 1, 1, 98), y = scale(curve.low, curve.high, 24, 3);
  return make("svg", { viewBox: "0 0 99 27", height: 27, "aria-hidden": "true" }, make("path", { d: path(values.map((v, i) => [x(i), y(v)])), class: "line spark", stroke: "var(--quiet)" }));
}

function showClip() {
  const place = one("#clip");
  if (!current) return place.replaceChildren(make("p", { class: "quiet" }, "Choose a clip."));
  const clip = current, name = filters.elements.method.value, said = judged(clip, name);
  const video = make("video", { controls: "", loop: "", playsinline: "", preload: "auto", src: source(clip), "aria-label": `Video of ${clip.name}` });
  video.muted = true;
  const chart = make("figure", { id: "curve" }, make("figcaption", {}, `Score of each frame by ${name}; the clip's is ${short(said.score)}, its threshold ${short(said.cut)}` +
    (DATA.seeds.length > 1 ? ` (seed ${DATA.seeds[said.seed]}).` : ".")));
  place.replaceChildren(
    make("div", { class: "head" }, make("h3", {}, clip.name), make("span", { class: `verdict${said.right ? "" : " wrong"}` }, said.how), make("span", { class: "quiet" }, `${clip.category}, ${clip.label}${readAs(clip, said)}`)),
    make("div", { class: "pane" }, make("div", {}, video, chart, ...answer(said), ...findings(said.findings, video)), others(clip)));
  drawn(chart, (width) => course(width, clip, name, said, video))();
}

/** The legacy protocol judges some clips by another clip's label. */
function readAs(clip, said) {
  return said.truth === clip.anomalous ? "" : `, here read as ${said.truth ? "defective" : "normal"}`;
}

function source(clip) {
  const embedded = document.getElementById(`video-${clip.id}`);
  return embedded ? `data:video/mp4;base64,${embedded.textContent}` : clip.video;
}

function course(width, clip, name, said, video) {
  const values = points(said.curve), height = 150, top = 22;
  const scores = DATA.clips.filter((c) => c.category === clip.category && c.by[name]).map((c) => c.by[name].curve);
  const low = Math.min(0, ...scores.map((c) => c.low)), reach = Math.max(said.curve.high, said.cut === null ? 0 : 1.15 * said.cut, low + 1e-9);
  const x = scale(0, 1, 38, width - 4), y = scale(low, reach, height - 20, top);
  const bands = clip.phases.map(([, begin, end], i) => (i % 2 ? null : make("rect", { x: x(begin), width: x(end) - x(begin), y: top - 6, height: height - 14 - top, class: "phase" })));
  const titles = clip.phases.map(([title, begin, end]) => (x(end) - x(begin) > 6.2 * title.length ? text(x((begin + end) / 2), top - 10, title.replaceAll("_", " "), "middle") : null));
  const lines = [line(x(0), y(low), x(1), y(low), "grid"), text(34, y(low) + 4, short(low), "end"), text(34, top + 4, short(reach), "end"), ...(said.cut === null ? [] : [line(x(0), y(said.cut), x(1), y(said.cut), "cut")])];
  const curve = make("path", { d: path(values.map((v, i) => [x(i / (values.length - 1)), y(v)])), class: "line", stroke: "var(--accent)" });
  const head = line(x(0), top - 6, x(0), height - 20, "playhead");
  const length = clip.frames / clip.fps;
  const follow = () => {
    if (!head.isConnected) return;
    const now = x(Math.min(1, video.currentTime / length));
    head.setAttribute("x1", now);
    head.setAttribute("x2", now);
    requestAnimationFrame(follow);
  };
  requestAnimationFrame(follow);
  const svg = picture(width, height, `Score of each frame over ${length.toFixed(1)} s`, ...bands, ...titles, ...lines, curve, head,
    text(x(0), height - 4, "0 s"), text(x(1), height - 4, `${length.toFixed(1)} s`, "end"));
  svg.addEventListener("click", (event) => {
    const box = svg.getBoundingClientRect();
    video.currentTime = Math.max(0, Math.min(1, (event.clientX - box.left - 38) / (box.width - 42))) * length;
  });
  return svg;
}

function others(clip) {
  const rows = DATA.methods.filter((m) => clip.by[m.name]).map((m) => {
    const said = judged(clip, m.name);
    const pick = make("button", { type: "button", onclick: () => { filters.elements.method.value = m.name; showList(); } }, m.name);
    return make("tr", {}, make("th", { scope: "row" }, pick), make("td", {}, short(said.score)), make("td", {}, make("span", { class: `verdict${said.right ? "" : " wrong"}` }, said.how)));
  });
  return make("table", { class: "others" }, make("tbody", {}, ...rows));
}

function findings(list, video) {
  if (!list.length) return [];
  return [make("ul", { class: "findings" }, ...list.map((f) => make("li", {}, make("button", { type: "button", title: "Show when", onclick: () => { video.currentTime = f.begin_s; } },
    f.sentence, " ", make("small", {}, `${f.phase.replaceAll("_", " ")}, ${short(f.violation)} half-widths from the middle`)))))];
}

/** What a model that was asked said of the clip, or why there is no score; nothing where there are no words. */
function answer(said) {
  const parts = [["What happens", said.description], [said.how === "no score" ? "Why there is no score" : "Why", said.explanation]].filter(([, words]) => words);
  return parts.length ? [make("dl", { class: "answer" }, ...parts.flatMap(([title, words]) => [make("dt", {}, title), make("dd", {}, words)]))] : [];
}

filters.elements.method.append(...measured.map((m) => option(m.name, m.name)));
filters.elements.category.append(option("", "all"), ...DATA.categories.map((c) => option(c, c.replaceAll("_", " "))));
filters.addEventListener("change", (event) => { if (event.target.name === "category") showLabels(); showList(); });
filters.addEventListener("submit", (event) => event.preventDefault());
showLabels();
if (measured.length) showList();
