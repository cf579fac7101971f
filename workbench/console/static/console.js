// The dashboard: the report's figures live, what to review, the what-if of escalation, metrics, and any customer's turns.

import { ask, bar, el } from "./dom.js";
import { mount } from "./why.js";

const BASE = new URL(".", location.href).pathname;
const LOOK_EVERY_MS = 4000;
const $ = (id) => document.getElementById(id);
const words = (name) => name.replaceAll("_", " ");
const percent = (share) => (share === null || share === undefined ? "–" : `${(share * 100).toFixed(1)} %`);
const time = (s) => (s === null || s === undefined ? "–" : s < 1 ? `${Math.round(s * 1000)} ms` : s < 90 ? `${s.toFixed(1)} s` : `${Math.round(s / 60)} min`);

const state = { tab: null, timer: null, shown: "" };

const TABS = {
  now: { title: "Now", draw: drawNow, live: true },
  review: { title: "To review", draw: drawReview, live: true },
  whatif: { title: "What if", draw: drawWhatIf, live: false },
  why: { title: "Conversations", draw: drawWhy, live: false },
  metrics: { title: "Metrics", draw: drawMetrics, live: true },
};

async function open(name) {
  state.tab = name;
  state.shown = "";
  history.replaceState(null, "", `#${name}`);
  for (const tab of $("tabs").children) tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
  $("view").replaceChildren();
  await look();
}

async function look() {
  const { tab } = state;
  clearTimeout(state.timer);
  try {
    const nodes = await TABS[tab].draw();
    if (state.tab === tab && nodes) $("view").replaceChildren(...nodes);
    $("banner").hidden = true;
  } catch (error) {
    $("banner").hidden = false;
    $("banner").textContent = error.message;
  }
  if (TABS[tab].live) state.timer = setTimeout(() => state.tab === tab && (document.hidden ? open(tab) : look()), LOOK_EVERY_MS);
}

/** Null when nothing changed: what is folded open stays so. */
async function fresh(path) {
  const found = await ask(BASE, path);
  const now = JSON.stringify(found);
  if (now === state.shown) return null;
  state.shown = now;
  return found;
}

const panel = (title, ...content) => el("section", { class: "panel" }, el("h2", {}, title), content);
const rows = (pairs, largest = Math.max(1, ...pairs.map(([, count]) => count))) =>
  pairs.length ? pairs.map(([name, count, note]) => el("div", { class: "ranked" }, el("span", {}, words(String(name))), bar(count / largest), el("b", {}, note ?? String(count)))) : [el("p", { class: "soft" }, "None.")];

async function drawNow() {
  const found = await fresh("figures");
  if (!found) return null;
  const tile = (name, value, note) => el("div", { class: "tile" }, el("b", {}, value), el("span", {}, name), note ? el("small", {}, note) : null);
  const open_ = found.outcomes.open ?? 0;
  const waiting = found.waiting_s[0];
  return [
    el("div", { class: "tiles" },
      tile("conversations", String(found.conversations), `${open_} still open`),
      tile("resolved without a person", percent(found.containment), found.ended ? `of ${found.ended} that ended` : "none has ended yet"),
      tile("answered", String(found.replies - found.failed), `${found.refused} got no help`),
      tile("median answer", time(found.answer_s[0]), `99 %: ${time(found.answer_s[2])}`),
      tile("wait for a person", time(waiting), "median until their first words"),
      tile("not delivered", String(found.failed)),
      tile("messages cost", `${found.cost.messages.toFixed(2)} ${found.cost.currency}`, found.cost.free_left === null ? "" : `${found.cost.free_left} free ones left this month`),
      tile("LLM", `${found.cost.llm_usd.toFixed(4)} USD`, `${Object.values(found.llm).reduce((sum, [calls]) => sum + calls, 0)} answers`)),
    el("div", { class: "panels" },
      panel("Escalations by reason", rows(found.escalations)),
      panel("What customers wanted", rows(found.intents.map(([name, count, unmet]) => [name, count, unmet ? `${count}, ${unmet} not helped` : String(count)]))),
      panel("Topics of answers", rows(found.features)),
      panel("What we failed at", rows(found.failures)),
      panel("Slowest answers", found.slowest.map(([seconds, text]) => el("div", { class: "ranked" }, el("span", {}, text), el("span"), el("b", {}, time(seconds))))),
      found.ratings.length ? panel("How it was with a person", found.ratings.map(([name, count, share]) => el("div", { class: "ranked" }, el("span", {}, name), el("span", {}, count), el("b", {}, share)))) : null,
      panel("By day", rows(found.days.map(([day, counts]) => [day, counts.conversations ?? 0]))),
      panel("Refused by Graph", rows(found.errors))),
    el("p", { class: "soft" }, "The last 30 days, as `python -m conversation_log report` counts them. Personal data is replaced by placeholders."),
  ];
}

async function drawReview() {
  const found = await fresh("review");
  if (!found) return null;
  return [el("p", { class: "soft" }, `${found.messages} messages that were rejected, unsure or escalated, grouped by wording. Label them with \`python -m workbench review --browser\`.`),
    el("div", { class: "panels" }, found.clusters.map((one) => el("section", { class: "panel" },
      el("h2", {}, `${one.count} × ${one.texts[0]}`),
      one.reasons.map(([reason, count]) => el("span", { class: "chip" }, `${reason} ${count}`)),
      one.intents.map(([name]) => el("span", { class: "chip" }, `taken for ${name}`)),
      el("ul", {}, one.texts.slice(1).map((text) => el("li", {}, text))))))];
}

async function drawWhatIf() {
  const result = el("div", { "aria-live": "polite" });
  const first = await ask(BASE, "what-if");
  const wished = { ...first.thresholds };
  let waiting = null;
  const compare = async () => {
    const found = await ask(BASE, `what-if?${new URLSearchParams(wished)}`);
    result.replaceChildren(
      el("p", { class: "verdict" }, `Of the ${found.messages} latest messages, ${found.calls_then} would call a person; today ${found.calls_today} do.`),
      found.changed.length ? el("table", {}, el("thead", {}, el("tr", {}, ["message", "today", "then"].map((name) => el("th", { scope: "col" }, name)))),
        el("tbody", {}, found.changed.map((one) => el("tr", {}, el("td", {}, one.text), el("td", {}, words(one.today ?? "no person")), el("td", {}, words(one.then ?? "no person"))))))
        : el("p", { class: "soft" }, "No message changes sides."),
      el("h2", {}, "Nearest to the threshold today"), rows(found.near.map(([text, score]) => [text, score, score.toFixed(2)]), 1));
  };
  const sliders = Object.entries(first.thresholds).map(([reason, value]) => {
    const shown = el("b", {}, value.toFixed(2));
    const input = el("input", { type: "range", min: "0.02", max: "0.98", step: "0.01", value: String(value), "aria-label": `Threshold for ${words(reason)}`, oninput: () => {
      wished[reason] = Number(input.value);
      shown.textContent = `${wished[reason].toFixed(2)}${wished[reason] === value ? "" : ` (today ${value.toFixed(2)})`}`;
      clearTimeout(waiting);
      waiting = setTimeout(() => compare().catch((error) => { result.textContent = error.message; }), 150);
    } });
    return el("label", { class: "slider" }, el("span", {}, words(reason)), input, shown);
  });
  await compare();
  return [el("div", { class: "panels" },
    panel("From which probability a person is called", sliders, el("p", { class: "soft" }, "`thresholds` of EscalationPolicy in config.yml; nothing is changed here. Each message is weighed by itself, with what it was understood as.")),
    el("section", { class: "panel wide" }, el("h2", {}, "What would change"), result))];
}

function drawWhy() {
  const host = el("div", { class: "why" });
  const view = mount(host, { base: BASE });
  const customer = el("input", { type: "text", placeholder: "+91 98765 43210 or a customer's key", "aria-label": "Customer" });
  const form = el("form", { class: "panel", onsubmit: (event) => { event.preventDefault(); view.show(customer.value.replace(/[^\w.]/g, "")); } },
    el("h2", {}, "Why was it answered so?"), customer, el("button", { type: "submit" }, "Show"));
  return [form, host];
}

async function drawMetrics() {
  const found = await fresh("metrics");
  if (!found) return null;
  return [el("table", { class: "metrics" }, el("tbody", {}, found.metrics.map(([name, value]) => el("tr", {}, el("td", {}, name), el("td", {}, value)))))];
}

$("tabs").append(...Object.entries(TABS).map(([name, tab]) =>
  el("button", { type: "button", role: "tab", dataset: { tab: name }, onclick: () => open(name) }, tab.title)));
$("doors").hidden = !location.pathname.startsWith("/console/");
await open(TABS[location.hash.slice(1)] ? location.hash.slice(1) : "now");
