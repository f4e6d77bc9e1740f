"use strict";
// Rows come by one EventSource, are collected by id, and painted once a frame: only the cells that differ. A hidden tab
// collects, and paints when it is shown. Names and notes are set as text, never as HTML.

// Of a frame's 16 ms, the rest of which is the browser's own; what is left over is painted in the next one.
// A new row costs as much as several that change.
const PAINT_MS = 4, PAINT_ROWS = 40, NEW_ROW = 2;
// Rows stand in groups, which the browser leaves out of style, layout and paint where they are out of sight: to ask that
// of each row alone takes it longer than most changes do.
const GROUP_ROWS = 20;
const LOST_AFTER_MS = 9000; // the status comes every 2 s
const TOLD_EVERY_MS = 10000;
const MAX_EVENTS = 200;

const rows = new Map();    // id -> the row as it came
const shown = new Map();   // id -> its elements, and what they say
const pending = new Set(); // ids that are to be painted
const events = [];
let fresh = [];            // events that are to be painted
let status = { now: Date.now(), speed: 1, age: null, trouble: null, host: "" };
let statusAt = performance.now();
let heardAt = performance.now();
let lostSince = null;
let paused = false, scheduled = false, cleared = false, filter = "";

const byId = (id) => document.getElementById(id);
const place = { cluster: byId("clusters"), run: byId("runs") };
const list = byId("events").querySelector("ol");
const bodies = { cluster: place.cluster.querySelector(".rows"), run: place.run.querySelector(".rows") };

// ---- What comes

function connect() {
  const source = new EventSource("events");
  const on = (name, act) => source.addEventListener(name, (message) => { act(JSON.parse(message.data)); heard(); });
  on("snapshot", takeSnapshot);
  on("change", (row) => { if (row.of === "event") takeEvent(row); else take(row); });
  on("gone", (row) => forget(row.id));
  on("status", takeStatus);
  source.addEventListener("error", () => {
    lose();
    // The browser itself tries again, but for answers that are no stream.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, 2000);
  });
}
connect();

function takeSnapshot(all) {
  const known = new Set(all.rows.map((row) => row.id));
  for (const id of [...rows.keys()]) if (!known.has(id)) forget(id);
  all.rows.sort(byAttention);
  for (const row of all.rows) take(row);
  events.length = 0;
  cleared = true;
  for (const event of all.events) takeEvent(event);
  if (all.status.now) takeStatus(all.status);
}
function take(row) { rows.set(row.id, row); pending.add(row.id); }
function forget(id) { rows.delete(id); pending.add(id); }
function takeEvent(event) { events.push(event); fresh.push(event); if (events.length > MAX_EVENTS) events.shift(); }
function takeStatus(news) { status = news; statusAt = performance.now(); }
function heard() { heardAt = performance.now(); lostSince = null; schedule(); }
function lose() { if (lostSince === null) { lostSince = new Date(Date.now() - (performance.now() - heardAt)); schedule(); } }

const ATTENTION = ["moving", "waiting", "bad", "half-good", "good", "unknown", "stopped", "not-run"];
function byAttention(one, other) {
  return ATTENTION.indexOf(one.kind) - ATTENTION.indexOf(other.kind) || (other.since || 0) - (one.since || 0);
}

// ---- Painting

function schedule() {
  if (scheduled || document.hidden || paused) return;
  scheduled = true;
  requestAnimationFrame(paint);
}

function paint() {
  scheduled = false;
  if (document.hidden || paused) return;
  const until = performance.now() + PAINT_MS;
  let left = shown.size ? PAINT_ROWS : PAINT_ROWS / 4; // the first ones are slow: nothing is compiled, no letter drawn
  for (const id of pending) {
    pending.delete(id);
    left -= shown.has(id) ? 1 : NEW_ROW;
    paintRow(id);
    if (left <= 0 || performance.now() > until) break;
  }
  paintEvents();
  paintCounts();
  paintStatus();
  if (pending.size) schedule();
}

function paintRow(id) {
  const row = rows.get(id);
  let is = shown.get(id);
  if (!row) {
    if (is) { remove(is.element); shown.delete(id); }
    return;
  }
  if (!is) {
    is = row.of === "run" ? newRun(row) : newItem(row);
    shown.set(id, is);
    insert(bodies[row.of], is.element);
  }
  setText(is, "name", row.name);
  setText(is, "thing", row.thing);
  setState(is, "state", row);
  setText(is, "since", elapsed(row));
  setText(is, "size", row.size);
  setText(is, "note", row.note);
  const fits = matches(row);
  if (is.fits !== fits) { is.fits = fits; is.element.hidden = !fits; count(is.element.parentElement); }
  if (row.of === "run" && is.open) paintTasks(is, row);
}

// New ones on top, those of a snapshot in its order; the others stay where they are.
function insert(body, element) {
  let group = cleared ? body.lastElementChild : body.firstElementChild;
  if (!group || group.childElementCount >= GROUP_ROWS) {
    group = make("div", "group", "rowgroup");
    if (cleared) body.append(group); else body.prepend(group);
  }
  if (cleared) group.append(element); else group.prepend(element);
  count(group);
}

function remove(element) {
  const group = element.parentElement;
  element.remove();
  if (group.childElementCount) count(group); else group.remove();
}

// How many of its rows fit the filter: by that the browser knows how high a group is that it leaves out.
function count(group) {
  const rows = group.querySelectorAll(":scope > :not([hidden])").length;
  group.hidden = rows === 0;
  group.style.setProperty("--rows", rows);
}

function setText(is, cell, text) {
  if (is.said[cell] !== text) { is.said[cell] = text; is[cell].textContent = text; }
}

function setState(is, cell, row) {
  const said = row.kind + row.state;
  if (is.said[cell] === said) return;
  is.said[cell] = said;
  stateInto(is[cell], row);
}

function stateInto(element, row) {
  element.className = `state ${row.kind}`;
  element.dataset.sign = row.sign;
  element.textContent = row.state;
}

function make(tag, className, role) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (role) element.setAttribute("role", role);
  return element;
}

function newItem() {
  const element = make("div", "row item", "row");
  const name = make("span", "", ""), thing = make("span", "id", "");
  const cell = make("span", "name", "cell");
  cell.append(name, thing);
  const [state, since] = [make("span", "", "cell"), make("span", "", "cell")];
  const [size, note] = [make("span", "size", "cell"), make("span", "note", "cell")];
  element.append(cell, state, since, size, note);
  return { element, name, thing, cell, state, since, size, note, said: {}, fits: true };
}

function newRun(row) {
  const is = newItem();
  const button = make("button", "", "");
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  is.name.replaceWith(button);
  is.name = button;
  button.addEventListener("click", () => { open(is, row.id, !is.open); });
  return is;
}

function open(is, id, wanted) {
  is.open = wanted;
  is.name.setAttribute("aria-expanded", String(wanted));
  if (!wanted) { is.more.remove(); is.more = null; is.said.tasks = is.said.drawn = undefined; return; }
  is.more = make("div", "more", "cell");
  is.tasks = make("ul", "tasks", "list");
  const frame = make("div", "timeline", "");
  is.image = make("img", "", "");
  frame.append(is.image);
  is.more.append(is.tasks, frame);
  is.element.append(is.more);
  paintTasks(is, rows.get(id));
}

function paintTasks(is, row) {
  if (!row) return;
  const said = JSON.stringify([row.tasks, row.more_tasks]);
  if (is.said.tasks !== said) {
    is.said.tasks = said;
    is.tasks.replaceChildren(...row.tasks.map((task) => {
      const item = make("li", "", "listitem"), state = make("span", "", "");
      stateInto(state, task);
      item.append(task.key, " ", state);
      if (task.note) item.title = task.note;
      return item;
    }));
    if (row.more_tasks) is.tasks.append(`and ${row.more_tasks} more`);
  }
  drawTimeline(is, row);
}

function drawTimeline(is, row) {
  // While it runs, its bars grow.
  const drawn = JSON.stringify([row.state, row.tasks]) + (row.end ? "" : Math.floor(performance.now() / 3000));
  if (is.said.drawn === drawn || is.drawing) return;
  is.said.drawn = drawn;
  const next = new Image();
  next.alt = `Timeline of ${row.name}: ${row.tasks.map((task) => `${task.key} ${task.state}`).join(", ")}`;
  next.src = `timeline/${encodeURIComponent(row.thing)}.svg?${Date.now()}`;
  is.drawing = true;
  next.decode().then(() => { is.image.replaceWith(next); is.image = next; }, () => {
    if (is.more) is.image.alt = "The timeline cannot be drawn.";
  }).finally(() => { is.drawing = false; });
}

function paintEvents() {
  if (cleared) { list.replaceChildren(); cleared = pending.size > 0; if (cleared) return; fresh = [...events]; }
  for (const event of fresh.splice(0).slice(-MAX_EVENTS)) {
    const item = make("li", "", ""), time = make("time", "", ""), state = make("span", "", ""), what = make("span", "", "");
    if (event.when) { time.dateTime = new Date(event.when).toISOString(); time.textContent = clockTime(event.when); }
    stateInto(state, event);
    what.textContent = event.note ? `${event.name}: ${event.note}` : event.name;
    item.append(time, state, what);
    list.prepend(item);
  }
  while (list.childElementCount > MAX_EVENTS) list.lastElementChild.remove();
}

const COUNTED = [["good", { cluster: "running", run: "succeeded" }], ["moving", { cluster: "moving", run: "running" }],
  ["waiting", { cluster: "waiting", run: "waiting" }], ["bad", { cluster: "failed", run: "failed" }],
  ["stopped", { cluster: "stopped", run: "stopped" }]];
let countsSaid = "", inWords = "", toldAt = -Infinity;
function paintCounts() {
  const counts = { cluster: {}, run: {} };
  for (const row of rows.values()) counts[row.of][row.kind] = (counts[row.of][row.kind] || 0) + 1;
  const said = JSON.stringify(counts);
  if (said === countsSaid) return;
  countsSaid = said;
  const words = [];
  for (const of of ["cluster", "run"]) {
    const counted = COUNTED.filter(([kind]) => counts[of][kind]).map(([kind, word]) => `${counts[of][kind]} ${word[of]}`);
    words.push(`${of}s: ${counted.join(", ") || "none"}`);
    place[of].querySelector(".counts").textContent = counted.join(", ");
    place[of].querySelector("[role=table]").classList.toggle("full", Object.keys(counts[of]).length > 0);
  }
  inWords = words.join("; ");
}

function tell() {
  // A screen reader is told what has changed, but not more often than it can say it.
  const told = byId("told");
  if (told.textContent === inWords || performance.now() - toldAt < TOLD_EVERY_MS) return;
  toldAt = performance.now();
  told.textContent = inWords;
}

function paintStatus() {
  const lost = byId("lost"), live = byId("live");
  const trouble = lostSince !== null
    ? `The connection is lost since ${clockTime(lostSince)}. What is below was read before; it is tried again.`
    : status.trouble ? `The workspace does not answer: ${status.trouble}` : "";
  if (lost.textContent !== trouble) { lost.textContent = trouble; lost.hidden = !trouble; }
  document.body.classList.toggle("stale", trouble !== "");
  live.className = trouble ? "bad" : "good";
  const age = status.age === null ? "" : `, read ${duration((status.age * 1000 + performance.now() - statusAt) | 0)} ago`;
  setOnce(live, trouble ? "not live" : paused ? "paused" : `live${age}`);
  setOnce(byId("host"), status.host || "Workspace");
  if (document.title !== (status.host || "Workspace")) document.title = status.host || "Workspace";
  const speed = status.speed === 1 ? "" : ` (${status.speed}× as fast)`;
  setOnce(byId("clock"), `${clockTime(now())}${speed}`);
}

function setOnce(element, text) { if (element.textContent !== text) element.textContent = text; }

// ---- Time: that of the service, which a local workspace lets run faster

function now() {
  const passed = lostSince === null ? performance.now() - statusAt : heardAt - statusAt;
  return status.now + passed * status.speed;
}
function elapsed(row) { return row.since ? duration((row.end || now()) - row.since) : ""; }
function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
  if (minutes < 60) return `${minutes}m${two(seconds % 60)}s`;
  if (hours < 24) return `${hours}h${two(minutes % 60)}m`;
  return `${Math.floor(hours / 24)}d${two(hours % 24)}h`;
}
const two = (number) => String(number).padStart(2, "0");
// By hand: the browser's own words for a time take it longer than a frame, the first time.
function clockTime(milliseconds) {
  const moment = new Date(milliseconds);
  return [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two).join(":");
}

function tick() {
  if (performance.now() - heardAt > LOST_AFTER_MS) lose();
  if (document.hidden) return;
  if (lostSince === null && !paused) {
    for (const [id, is] of shown) {
      const row = rows.get(id);
      if (row && !row.end) setText(is, "since", elapsed(row));
      if (row && is.open && !row.end) drawTimeline(is, row);
    }
  }
  paintStatus();
  tell();
}
setInterval(tick, 1000);

// ---- What a person does

function matches(row) {
  return !filter || `${row.name} ${row.thing} ${row.state} ${row.note}`.toLowerCase().includes(filter);
}
const input = byId("filter");
input.addEventListener("input", () => {
  filter = input.value.trim().toLowerCase();
  document.body.classList.toggle("filtered", filter !== "");
  for (const id of rows.keys()) pending.add(id);
  schedule();
});
input.addEventListener("keydown", (event) => { if (event.key === "Escape") { input.value = ""; input.dispatchEvent(new Event("input")); } });
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); }
});
byId("pause").addEventListener("click", (event) => {
  paused = !paused;
  event.target.setAttribute("aria-pressed", String(paused));
  paintStatus();
  schedule();
});
document.addEventListener("visibilitychange", schedule);
