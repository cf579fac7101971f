// The agent desk: tickets of the simulated helpdesk, what was said, and the agent's words.

import { dayOf, el, icon, initials, timeOf } from "./dom.js";
import { format } from "./format.js";

const TITLE = document.title;
const $ = (id) => document.getElementById(id);
const LOOK_EVERY_MS = 1500;
const PLACEHOLDERS = { public: "Goes to the customer on WhatsApp", private: "Only colleagues read this" };

const SENDS = { public: "Send to the customer", private: "Add the note" };

const state = { about: { connected: true, ticketing: "zendesk" }, tickets: [], id: null, shown: "" };

async function call(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const response = await fetch(path, options);
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.description ?? answer.error ?? `The helpdesk answered ${response.status}.`);
  return answer;
}

const seconds = (moment) => Date.parse(moment) / 1000;
const when = (moment) => (dayOf(seconds(moment)) === "Today" ? "" : `${dayOf(seconds(moment))}, `) + timeOf(seconds(moment));

async function look() {
  try {
    const { tickets } = await call("/helpdesk/desk/tickets");
    const order = (ticket) => (["solved", "closed"].includes(ticket.status) ? 1 : 0);
    state.tickets = tickets.sort((a, b) => order(a) - order(b) || b.id - a.id);
    tell("");
    render();
  } catch {
    tell("Connection to the shop-in-a-box lost. Trying again…");
  }
}

function tell(words) {
  $("banner").textContent = words;
  $("banner").hidden = !words;
}

function render() {
  const ticket = state.tickets.find((known) => known.id === state.id);
  const now = JSON.stringify([state.tickets, state.id, state.about]);
  if (now === state.shown) return;
  state.shown = now;
  $("tickets").replaceChildren(...state.tickets.map(line));
  const waiting = state.tickets.filter((known) => known.status === "new").length;
  document.title = `${waiting ? `(${waiting}) ` : ""}${TITLE}`;
  document.body.classList.toggle("in-chat", Boolean(ticket));
  $("ticket").hidden = !ticket;
  $("empty").hidden = Boolean(ticket);
  if (ticket) renderTicket(ticket);
  else renderEmpty();
}

function line(ticket) {
  const last = ticket.comments.at(-1);
  return el("li", {}, el(
    "button",
    { type: "button", class: "customer", "aria-current": ticket.id === state.id ? "true" : null, dataset: { ticket: ticket.id }, onclick: () => open(ticket.id) },
    el("span", { class: `face ${ticket.priority ?? "normal"}`, "aria-hidden": "true" }, initials(ticket.requester.name ?? "Customer")),
    el("span", { class: "who" },
      el("strong", {}, ticket.requester.name ?? "Customer"),
      el("small", {}, ticket.subject),
      last ? el("span", { class: "last" }, last.body.split("\n")[0]) : null),
    el("span", { class: "right" }, el("time", {}, timeOf(seconds(ticket.updated_at))), tag(ticket.status)),
  ));
}

const tag = (word) => el("span", { class: `tag ${word}` }, word);

function renderEmpty() {
  const { connected, ticketing } = state.about;
  const any = state.tickets.length > 0;
  $("empty-title").textContent = any ? "Pick a ticket" : connected ? "Nobody is waiting" : "Tickets do not come here";
  $("empty-words").replaceChildren(...(any
    ? ["The conversation so far is in the first note."]
    : connected
      ? ["When a customer asks for a person, complains or wants a refund, the ticket appears here with the whole conversation. Try “I want to talk to a person” on the phone."]
      : ["The assistant runs with ", el("code", {}, `TICKETING=${ticketing}`),
        ticketing === "log" ? ": tickets are kept in the conversation log, and nobody answers at this desk." : ": your agents answer there, not at this desk."]));
}

function renderTicket(ticket) {
  $("subject").textContent = ticket.subject;
  const phone = ticket.requester.phone;
  $("facts").replaceChildren(
    tag(ticket.status),
    ...(ticket.priority ? [tag(ticket.priority)] : []),
    el("span", {}, [ticket.requester.name, phone].filter(Boolean).join(" · ")),
    ...ticket.tags.map((word) => el("span", { class: "tag" }, word.replace(/_/g, " "))),
  );
  const list = $("comments");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 60 || list.dataset.ticket !== String(ticket.id);
  list.dataset.ticket = ticket.id;
  list.replaceChildren(...ticket.comments.map((comment) => commentOf(ticket, comment)));
  if (atEnd && ticket.comments.length > 1) list.scrollTop = list.scrollHeight;
  const closed = ticket.status === "closed";
  $("reply").inert = closed;
  $("solve").disabled = ticket.status === "solved" || closed;
  $("words").placeholder = closed ? "This ticket is closed" : PLACEHOLDERS[kind()];
}

function commentOf(ticket, comment) {
  const byCustomer = comment.author_id === ticket.requester.id;
  const byAgent = !byCustomer && comment.author !== "Assistant";
  const looks = comment.public === false && !byCustomer ? "note" : byAgent ? "agent" : "";
  const files = comment.attachments.map((file) => format(file.content_url));
  return el("li", { class: `comment ${looks}` },
    el("header", {},
      el("strong", {}, comment.author),
      el("time", {}, when(comment.created_at)),
      el("span", {}, comment.public ? (byAgent ? "to the customer" : "") : "private note")),
    el("div", { class: "words", dir: "auto" }, format(comment.body), files.flatMap((file) => ["\n", ...file])));
}

function open(id) {
  state.id = id;
  history.replaceState(null, "", id ? `#/${id}` : "#");
  render();
  if (id) $("words").focus({ preventScroll: true });
}

const kind = () => new FormData($("reply")).get("kind");

async function reply(status) {
  const body = $("words").value.trim();
  if (!body && !status) return;
  try {
    await call(`/helpdesk/desk/tickets/${state.id}/reply`, { body, public: kind() === "public", status });
    $("words").value = "";
    await look();
  } catch (error) {
    tell(error.message);
  }
}

function wire() {
  $("back").append(icon("back"));
  $("back").addEventListener("click", () => open(null));
  $("reply").addEventListener("submit", (event) => { event.preventDefault(); reply(null); });
  $("solve").addEventListener("click", () => reply("solved"));
  $("reply").addEventListener("change", () => {
    $("reply").classList.toggle("private", kind() === "private");
    $("words").placeholder = PLACEHOLDERS[kind()];
    $("send").textContent = SENDS[kind()];
  });
  $("words").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("reply").requestSubmit();
  });
  const wanted = Number(location.hash.replace(/^#\/?/, ""));
  state.id = wanted || null;
}

wire();
state.about = await call("/desk/api/about").catch(() => state.about);
await look();
setInterval(() => document.hidden || look(), LOOK_EVERY_MS);
