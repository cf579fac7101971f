// The agent desk: the queue of the simulated helpdesk, one ticket, and the agent's words.

import { el, icon, initials, timeOf } from "./dom.js";
import { renderSide, savedReplies, saveReply } from "./desk_side.js";
import { announce } from "./desk_news.js";
import { commentOf, facts, isOver, seconds, speaker, subjectOf, tag, waiting, withAssistant } from "./desk_ticket.js";
import { withoutFoot } from "./transcript.js";

const TITLE = document.title;
const TELLS = "desk-tells";
const $ = (id) => document.getElementById(id);
const LOOK_EVERY_MS = 1000;
const PLACEHOLDERS = { public: "Goes to the customer on WhatsApp", private: "Only colleagues read this" };
const SENDS = { public: "Send to the customer", private: "Add the note" };
const URGENCY = { urgent: 0, high: 1, normal: 2, low: 3 };

const state = { about: { connected: true, ticketing: "zendesk" }, tickets: [], agents: [], news: false, id: null, shown: "", seen: new Map() };

async function call(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.description ?? answer.error ?? `The helpdesk answered ${response.status}.`);
  return answer;
}

async function look() {
  try {
    const { tickets, agents } = await call("/helpdesk/desk/tickets");
    state.tickets = tickets.sort(byUrgency);
    state.agents = agents;
    state.news = announce(state.tickets, $("tell").checked);
    tell("");
    render();
  } catch {
    tell("Connection to the simulator lost. Trying again…");
  }
}

/** Open ones first, whoever waits for a person before who talks to one, the gravest and the longest waiting on top. */
function byUrgency(a, b) {
  const rank = (ticket) => [isOver(ticket), waiting(ticket) === null, URGENCY[ticket.priority] ?? 2, waiting(ticket) ?? -ticket.id];
  const [one, other] = [rank(a), rank(b)];
  const place = one.findIndex((value, index) => value !== other[index]);
  return place < 0 ? 0 : Number(one[place]) - Number(other[place]);
}

function tell(words) {
  $("banner").textContent = words;
  $("banner").hidden = !words;
}

const current = () => state.tickets.find((known) => known.id === state.id);

function listed() {
  const words = $("find").value.trim().toLowerCase();
  return state.tickets.filter((ticket) => {
    if (ticket.id === state.id && !words) return true;
    if (isOver(ticket) && !$("all").checked && !words) return false;
    return !words || JSON.stringify([ticket.subject, ticket.requester, ticket.comments.map((comment) => comment.body)]).toLowerCase().includes(words);
  });
}

function render() {
  const ticket = current();
  if (ticket) state.seen.set(ticket.id, ticket.comments.length);
  renderWaiting();
  const callers = state.tickets.filter((known) => waiting(known) !== null).length;
  document.title = `${state.news ? "● " : ""}${callers ? `(${callers}) ` : ""}${TITLE}`;
  const now = JSON.stringify([state.tickets, state.id, state.about, $("find").value, $("all").checked]);
  if (now === state.shown) return;
  state.shown = now;
  const focused = document.activeElement?.dataset?.ticket;
  $("tickets").replaceChildren(...listed().map(line));
  if (focused) $("tickets").querySelector(`[data-ticket="${focused}"]`)?.focus();
  document.body.classList.toggle("in-chat", Boolean(ticket));
  $("ticket").hidden = !ticket;
  $("side").hidden = !ticket;
  $("empty").hidden = Boolean(ticket);
  if (ticket) renderTicket(ticket);
  else renderEmpty();
}

function line(ticket) {
  const last = ticket.comments.at(-1);
  const assigned = state.agents.find((agent) => agent.id === ticket.assignee_id);
  const fresh = state.seen.has(ticket.id) ? ticket.comments.length - state.seen.get(ticket.id) : 0;
  return el("li", {}, el(
    "button",
    { type: "button", class: "customer", "aria-current": ticket.id === state.id ? "true" : null, dataset: { ticket: ticket.id }, onclick: () => open(ticket.id) },
    el("span", { class: `face ${ticket.priority ?? "normal"}`, "aria-hidden": "true" }, initials(ticket.requester.name ?? "Customer")),
    el("span", { class: "who" },
      el("strong", {}, ticket.requester.name ?? "Customer"),
      el("small", {}, subjectOf(ticket)),
      assigned ? el("small", {}, `With ${assigned.name}`) : null,
      last && ticket.comments.length > 1 ? el("span", { class: "last" }, withoutFoot(last.body).words.split("\n")[0]) : null),
    el("span", { class: "right" },
      el("time", {}, timeOf(seconds(ticket.updated_at))),
      isOver(ticket) ? tag(ticket.status) : el("span", { class: `tag ${ticket.priority ?? ""}` }, ticket.priority ?? "no priority"),
      fresh > 0 ? el("span", { class: "unread", "aria-label": `${fresh} new` }, String(fresh)) : null),
  ));
}

function renderEmpty() {
  const { connected, ticketing } = state.about;
  const any = state.tickets.length > 0;
  $("empty-title").textContent = any ? "Pick a ticket" : connected ? "Nobody is waiting" : "Tickets do not come here";
  $("empty-words").replaceChildren(...(any
    ? ["Who waits longest for the gravest reason is on top."]
    : connected
      ? ["When a customer asks for a person, complains or wants a refund, the ticket appears here with the whole conversation. Try “I want to talk to a person” on the phone."]
      : ["The assistant runs with ", el("code", {}, `TICKETING=${ticketing}`),
        ticketing === "log" ? ": tickets are kept in the conversation log, and nobody answers at this desk." : ": your agents answer there, not at this desk."]));
}

function renderTicket(ticket) {
  $("subject").textContent = subjectOf(ticket);
  $("facts").replaceChildren(...facts(ticket));
  renderWaiting();
  const list = $("comments");
  const first = list.dataset.ticket !== String(ticket.id);
  list.dataset.ticket = ticket.id;
  const known = new Set([...list.children].map((node) => node.id));
  list.replaceChildren(...ticket.comments.map((comment) => commentOf(ticket, comment, useAsReply)));
  const mine = ticket.comments.filter((comment) => comment.author_id === 501).at(-1);
  if (first || state.following || (mine && !known.has(`c-${mine.id}`))) toEnd();
  renderSide($("side"), ticket, state.tickets, open);
  $("assignee").replaceChildren(el("option", { value: "" }, "nobody"),
    ...state.agents.map((agent, index) => el("option", { value: String(agent.id) }, index ? agent.name : `${agent.name} (you)`)));
  $("assignee").value = ticket.assignee_id ?? "";
  $("assignee").disabled = ticket.status === "closed";
  $("hand-back").hidden = isOver(ticket) || withAssistant(ticket);
  $("reply").inert = ticket.status === "closed";
  $("solve").textContent = ticket.status === "solved" ? "Open again" : "Solve";
  $("words").placeholder = ticket.status === "closed" ? "This ticket is closed" : PLACEHOLDERS[kind()];
}

function toEnd() {
  state.following = true;
  $("comments").scrollTop = $("comments").scrollHeight;
}

/** The clocks go on between two looks. */
function renderWaiting() {
  const ticket = current();
  if (!ticket) return;
  const now = speaker(ticket);
  const node = document.getElementById("speaks");
  if (node && node.textContent !== now.words) node.textContent = now.words;
  if (node) node.className = `tag speaks ${now.who}`;
}

function open(id) {
  const changed = state.id !== id;
  state.id = id;
  history.replaceState(null, "", id ? `#/${id}` : "#");
  if (changed) $("words").value = drafts.get(id) ?? "";
  render();
  if (id) $("words").focus({ preventScroll: true });
}

const drafts = new Map();
const kind = () => new FormData($("reply")).get("kind");

function choose(value) {
  $("reply").querySelector(`[value="${value}"]`).checked = true;
  $("reply").classList.toggle("private", value === "private");
  $("words").placeholder = PLACEHOLDERS[value];
  $("send").textContent = SENDS[value];
}

function useAsReply(text) {
  choose("public");
  $("words").value = text;
  $("words").focus();
}

async function attached(file) {
  const response = await fetch(`/helpdesk/desk/files?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
  if (!response.ok) throw new Error(`${file.name} was not taken.`);
  return (await response.json()).content_url;
}

async function reply(status) {
  const body = $("words").value.trim();
  const files = [...$("files").files];
  if (!body && !status && !files.length) return;
  try {
    const attachments = await Promise.all(files.map(attached));
    await call(`/helpdesk/desk/tickets/${state.id}/reply`, { body, public: kind() === "public", status, attachments });
    $("words").value = $("files").value = "";
    $("attached").textContent = "Attach files";
    drafts.delete(state.id);
    await look();
  } catch (error) {
    tell(error.message);
  }
}

async function change(what, body) {
  if (!current()) return;
  await call(`/helpdesk/desk/tickets/${state.id}/${what}`, body).then(look, (error) => tell(error.message));
}

const assign = (id) => change("assign", { assignee_id: id });

/** Words that stand there go out first: then it is the assistant's again, and the ticket stays open. */
async function handBack() {
  if (!current() || $("hand-back").hidden) return;
  if ($("words").value.trim()) await reply(null);
  await change("back", {});
}

function askToSolve() {
  if (current()?.status === "solved") reply("open");
  else if (current()) $("confirm").showModal();
}

function renderSaved() {
  const name = (current()?.requester.name ?? "").split(" ")[0];
  const own = savedReplies();
  $("saved").replaceChildren(el("option", { value: "" }, "Saved replies…"),
    ...own.map((text, index) => el("option", { value: String(index) }, text.replaceAll("{name}", name).slice(0, 60))),
    el("option", { value: "save" }, "Save what I wrote"));
}

function pickSaved() {
  const picked = $("saved").value;
  if (picked === "save") saveReply($("words").value.trim());
  else if (picked) {
    const name = (current()?.requester.name ?? "").split(" ")[0];
    $("words").value = [$("words").value.trim(), savedReplies()[Number(picked)].replaceAll("{name}", name)].filter(Boolean).join("\n\n");
  }
  renderSaved();
  $("words").focus();
}

const step = (by) => {
  const ids = listed().map((ticket) => ticket.id);
  if (ids.length) open(ids[Math.min(ids.length - 1, Math.max(0, ids.indexOf(state.id) + (state.id === null && by < 0 ? 0 : by)))]);
};

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  r: () => { choose("public"); $("words").focus(); },
  n: () => { choose("private"); $("words").focus(); },
  s: askToSolve,
  t: () => current() && assign(current().assignee_id === state.agents[0].id ? null : state.agents[0].id),
  b: handBack,
  "/": () => $("find").focus(),
};

/** Whether the assistant says that people answer now; nothing to switch where the shop's hours decide. */
function renderOpen() {
  const { open: isOpen } = state.about;
  $("desk-open").hidden = typeof isOpen !== "boolean";
  const [input, words] = $("desk-open").children;
  input.checked = Boolean(isOpen);
  words.textContent = isOpen ? "The desk is open" : "The desk is closed: customers are told when it opens";
}

async function switchDesk(isOpen) {
  const response = await fetch("/desk/api/open", { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ open: isOpen }) });
  if (response.ok) state.about = await response.json();
  renderOpen();
}

function wire() {
  $("desk-open").firstElementChild.addEventListener("change", (event) => switchDesk(event.target.checked));
  document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); $("words").focus(); });
  $("back").append(icon("back"));
  $("back").addEventListener("click", () => open(null));
  $("reply").addEventListener("submit", (event) => { event.preventDefault(); reply(null); });
  $("solve").addEventListener("click", askToSolve);
  $("hand-back").addEventListener("click", handBack);
  $("assignee").addEventListener("change", () => assign(Number($("assignee").value) || null));
  $("tell").checked = localStorage.getItem(TELLS) === "yes";
  $("tell").addEventListener("change", () => localStorage.setItem(TELLS, $("tell").checked ? "yes" : "no"));
  for (const name of ["load", "error"]) $("comments").addEventListener(name, () => state.following && toEnd(), true);
  $("confirm").addEventListener("close", () => {
    if ($("confirm").returnValue === "solved") reply("solved");
    $("confirm").returnValue = "";
  });
  $("reply").addEventListener("change", (event) => event.target.name === "kind" && choose(kind()));
  $("files").addEventListener("change", () => { $("attached").textContent = [...$("files").files].map((file) => file.name).join(", ") || "Attach files"; });
  $("saved").addEventListener("focus", renderSaved);
  $("saved").addEventListener("change", pickSaved);
  $("words").addEventListener("input", () => drafts.set(state.id, $("words").value));
  $("words").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("reply").requestSubmit();
  });
  $("find").addEventListener("input", render);
  $("all").addEventListener("change", render);
  $("comments").addEventListener("scroll", () => {
    const list = $("comments");
    state.following = list.scrollHeight - list.scrollTop - list.clientHeight < 60;
  });
  new ResizeObserver(() => state.following && toEnd()).observe($("comments"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("textarea, input[type=search]")) event.target.blur();
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey || $("confirm").open) return;
    if (KEYS[event.key] && (event.key !== "s" || current())) {
      event.preventDefault();
      KEYS[event.key]();
    }
  });
  addEventListener("hashchange", () => { state.id = wanted(); render(); });
  state.id = wanted();
  renderSaved();
}

const wanted = () => Number(location.hash.replace(/^#\/?/, "")) || null;

wire();
const inspector = await fetch("/console/why.css").catch(() => null);
for (const tab of document.querySelectorAll(".needs-console")) tab.hidden = !inspector?.ok;
state.about = await call("/desk/api/about").catch(() => state.about);
renderOpen();
await look();
setInterval(() => (document.hidden && !$("tell").checked) || look(), LOOK_EVERY_MS);
