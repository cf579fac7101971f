// Beside the ticket: the customer, their orders in the shop's own system, earlier tickets; and the agent's saved replies.

import { dateOf, dayOf, el, icon, link, named, safeAddress, timeOf } from "./dom.js";
import { readNote } from "./transcript.js";
import { isOver, seconds, subjectOf, tag } from "./desk_ticket.js";

const KEPT = "saved-replies";
const MOST = 30;
const DEFAULTS = [
  "Hi {name}, I'm looking into this right now and will be back within a few minutes.",
  "Thanks for waiting, {name}. I've found your order.",
  "I'm sorry about this, {name}. Here is what I can do:",
  "Is there anything else I can help you with?",
];
const orders = new Map(); // phone → what the shop said, while the ticket is looked at

export function savedReplies() {
  try {
    return [...JSON.parse(localStorage.getItem(KEPT) ?? "[]"), ...DEFAULTS];
  } catch {
    return DEFAULTS;
  }
}

export function saveReply(text) {
  if (!text) return;
  const own = savedReplies().filter((known) => !DEFAULTS.includes(known) && known !== text);
  localStorage.setItem(KEPT, JSON.stringify([text, ...own].slice(0, MOST)));
}

export function renderSide(host, ticket, tickets, open) {
  const { name, phone } = ticket.requester;
  const earlier = tickets.filter((known) => known.id !== ticket.id && known.requester.id === ticket.requester.id);
  // Of the assistant's notes only the conversation: they list every open order.
  const said = ticket.comments.flatMap((comment) => (comment.public ? [comment.body] : readNote(comment.body).lines.map((line) => line.text)));
  const mentioned = JSON.stringify([ticket.subject, said]);
  const list = el("div", { class: "orders" }, orders.has(phone) ? cards(orders.get(phone), mentioned) : el("p", {}, "Looking…"));
  host.replaceChildren(
    el("section", { "aria-label": "Customer" },
      el("h2", {}, name ?? "Customer"),
      el("p", { class: "contact" }, phone ?? "No number visible", phone ? el("span", {}, " · ", link(`${location.origin}/#/${phone.slice(1)}`, "their phone")) : null)),
    el("section", { "aria-label": "Orders" }, el("h2", {}, "Orders"), list),
    el("section", { "aria-label": "Earlier tickets" }, el("h2", {}, "Earlier tickets"),
      earlier.length ? el("ul", {}, earlier.map((known) => past(known, open))) : el("p", {}, "None")),
  );
  if (phone) look(phone, list, mentioned);
  else list.replaceChildren(el("p", {}, "Known only by a username: no orders can be looked up."));
}

async function look(phone, list, mentioned) {
  const response = await fetch(`/shop/customers/${encodeURIComponent(phone)}/orders`).catch(() => null);
  const answer = response?.ok ? (await response.json()).orders : response?.status === 404 ? null : [];
  orders.set(phone, answer);
  list.replaceChildren(...[cards(answer, mentioned)].flat());
}

function cards(found, mentioned) {
  if (found === null) return el("p", {}, "The shop's own orders database is not shown here.");
  if (!found.length) return el("p", {}, "No order under this number.");
  return found.map((order) => el("div", { class: `order ${mentioned.includes(order.order_id) ? "mentioned" : ""}` },
    el("strong", {}, icon("parcel"), named(order.order_id), " ", tag(order.status.replace(/_/g, " "))),
    ...order.items.map((item) => el("div", {}, `${item.quantity} × ${item.title}`)),
    order.estimated_delivery ? el("div", {}, `Due ${dateOf(order.estimated_delivery)}`) : null,
    order.carrier ? el("div", {}, order.carrier, " ", safeAddress(order.tracking_url) ? link(order.tracking_url, order.tracking_number ?? "track") : order.tracking_number ?? "") : null));
}

function past(ticket, open) {
  return el("li", {}, el("button", { type: "button", class: "past", onclick: () => open(ticket.id) },
    el("span", {}, subjectOf(ticket)), el("small", {}, `${dayOf(seconds(ticket.updated_at))} ${timeOf(seconds(ticket.updated_at))} · ${isOver(ticket) ? "solved" : ticket.status}`)));
}
