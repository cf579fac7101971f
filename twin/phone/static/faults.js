// Bad days on demand, and the count that proves what they cost: nothing.

import { el } from "./dom.js";

const $ = (id) => document.getElementById(id);
const LOOK_EVERY_MS = 1000;
const FOREVER = { times: null };

async function call(method, path, body) {
  const response = await fetch(path, { method, headers: { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `${path} answered ${response.status}.`);
  return answer;
}

const habit = (title, note, on, off) => ({
  title, note, at: "/control/habits",
  isOn: (now) => Object.entries(on).every(([name, value]) => now[name] === value),
  set: (wished) => call("POST", "/control/habits", wished ? on : off),
});

/** One of Graph's or of the helpdesk's faults; only one of a group is set at a time. */
const fault = (at, title, note, kind) => ({
  title, note, at,
  isOn: (now) => now.faults.some((one) => Object.entries(kind).every(([name, value]) => one[name] === value)),
  async set(wished) {
    await call("DELETE", at);
    if (wished) await call("POST", at, { ...FOREVER, ...kind });
  },
});

const llm = (title, note, name) => ({ title, note, at: "/llm/fault", isOn: (now) => now.fault === name, set: (wished) => call("PUT", "/llm/fault", { fault: wished ? name : null }) });
const kill = (title, note, name) => ({ title, note, name, act: () => call("POST", "/control/kill", { name }) });

const GROUPS = [
  ["WhatsApp's webhooks", [
    habit("Everything twice", "Meta delivers at least once", { copies: 2 }, { copies: 1 }),
    habit("Five seconds late", "as after a slow night at Meta", { late_s: 5 }, { late_s: 0 }),
    habit("Out of order", "messages overtake one another", { reordered: true }, { reordered: false }),
  ]],
  ["WhatsApp's answers", [
    fault("/control/faults", "500", "Graph fails", { kind: "error", code: 131000, http: 500 }),
    fault("/control/faults", "429", "too many calls", { kind: "error", code: 130429, http: 429 }),
    fault("/control/faults", "131056", "too many messages to one customer", { kind: "error", code: 131056 }),
    fault("/control/faults", "No answer", "the call hangs", { kind: "hang" }),
    fault("/control/faults", "Taken, but the answer is lost", "sent or not? Only a status tells", { kind: "accept_then_reset" }),
  ]],
  ["Helpdesk", [
    fault("/helpdesk/desk/faults", "Down", "503 to every call; tickets wait", { kind: "error", status: 503 }),
    fault("/helpdesk/desk/faults", "Slow", "four seconds a call", { kind: "slow", seconds: 4 }),
    fault("/helpdesk/desk/faults", "Created, but the answer is lost", "one ticket all the same", { kind: "accept_then_reset" }),
  ]],
  ["Orders database", [
    { title: "Cannot be read", note: "locked: look-ups give up after four seconds", at: "/shop/locked", isOn: (now) => now.locked, set: (locked) => call("PUT", "/shop/locked", { locked }) },
  ]],
  ["LLM (make run LLM=1)", [
    llm("Slow", "four seconds an answer", "slow"),
    llm("Overloaded", "529", "overloaded"),
    llm("Makes up a number", "the verifier lets nothing through", "hallucinated_number"),
    llm("Makes up a promise", "nor this", "hallucinated_claim"),
    llm("Hangs", "the pages' own words after eight seconds", "hang"),
  ]],
  ["Processes", [
    kill("Kill Redis", "-9; started again from its append-only file", "redis"),
    kill("Redis fails over", "-9 to the master; its replica takes over (make run FAILOVER=1)", "failover"),
    kill("Kill the servers", "-9, in the middle of whatever they do", "rasa"),
    kill("Kill the action server", "-9", "actions"),
    kill("Kill the worker", "-9: tickets and log wait for it", "worker"),
  ]],
];

const inputs = [];

function draw() {
  $("switches").replaceChildren(...GROUPS.map(([title, switches]) =>
    el("section", { "aria-label": title }, el("h2", {}, title), switches.map(line))));
}

function line(one) {
  const words = el("span", {}, el("strong", {}, one.title), el("small", {}, one.note));
  if (one.act) {
    const button = el("button", { type: "button", onclick: async () => {
      button.disabled = true;
      await one.act().catch(tell);
      setTimeout(() => (button.disabled = false), 2000);
    } }, "Kill");
    button.setAttribute("aria-label", one.title);
    button.disabled = !killable.includes(one.name);
    return el("div", { class: "switch" }, words, button);
  }
  const input = el("input", { type: "checkbox", role: "switch", onchange: () => one.set(input.checked).catch(tell).then(look) });
  inputs.push([one, input]);
  return el("label", { class: "switch" }, words, input);
}

function tell(error) {
  $("banner").hidden = !error;
  $("banner").textContent = error ? error.message : "";
}

async function look() {
  const asked = new Map();
  const state = (path) => { if (!asked.has(path)) asked.set(path, call("GET", path).catch(() => null)); return asked.get(path); };
  for (const [one, input] of inputs) {
    const now = await state(one.at);
    input.disabled = now === null;
    input.checked = now !== null && Boolean(one.isOn(now));
  }
}

async function count() {
  const counted = await call("GET", "/control/counted").catch(() => null);
  if (counted === null) {
    tell(new Error("Connection to the simulator lost. Trying again…"));
    return;
  }
  const logged = counted.wamids.length ? await call("POST", "/console/api/logged", { wamids: counted.wamids }).catch(() => null) : { missing: [] };
  const waiting = counted.written - counted.taken;
  const box = (name, value, kind = "") => el("div", { class: `count ${kind}` }, el("b", {}, String(value)), el("span", {}, name));
  $("proof").replaceChildren(
    box("written by customers", counted.written),
    box("taken by the assistant", counted.taken, waiting ? "" : "good"),
    box("still on the way", waiting, waiting ? "" : "good"),
    box("not yet in the log", logged ? logged.missing.length : "–", logged && !logged.missing.length ? "good" : ""),
    box("replies on the phones", counted.replies),
    box("said twice", counted.twice.length, counted.twice.length ? "bad" : "good"));
}

const killable = (await call("GET", "/control/kill").catch(() => ({ names: [] }))).names;
draw();
const inspector = await fetch("/console/why.css").catch(() => null);
for (const tab of document.querySelectorAll(".needs-console")) tab.hidden = !inspector?.ok;
await Promise.all([look(), count()]);
setInterval(() => document.hidden || count(), LOOK_EVERY_MS);
