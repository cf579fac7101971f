// The phone: which customer holds it, their chat with the shop, and what they do.

import { bubble, quote, summarize } from "./bubbles.js";
import { dateOf, dayOf, el, icon, initials, named, timeOf } from "./dom.js";
import { plain } from "./format.js";
import { inspector } from "./inspector.js";
import { listen, server } from "./server.js";
import { scenarios } from "./scenarios.js";
import { closeSheet, showList, showOptions } from "./sheet.js";
import { SUGGESTIONS } from "./suggestions.js";

const $ = (id) => document.getElementById(id);
const narrow = matchMedia("(max-width: 899px)");

const customers = new Map(); // key → summary from the server
const drafts = new Map(); // key → text not sent yet
const state = { shop: { name: "" }, key: null, messages: [], quoting: null, connected: false, ready: null, typing: null, following: true };
let pendingNumber = 0;
let why = null;
let scenes = { show() {} };

// ---- which customer

const keyInAddress = () => decodeURIComponent(location.hash.replace(/^#\/?/, ""));

async function refresh() {
  const { shop, chats, assistant_ready: ready } = await server.state();
  Object.assign(state, { shop, ready });
  customers.clear();
  chats.forEach((chat) => customers.set(chat.key, chat));
  $("shop-name").textContent = shop.name;
  const wanted = keyInAddress();
  if (wanted && !customers.has(wanted)) await server.chat(wanted).then((chat) => customers.set(chat.key, chat)).catch(() => {});
  const key = customers.has(wanted) ? wanted : narrow.matches ? null : chats[0]?.key ?? null;
  await open(key, false);
}

async function open(key, chosen = true) {
  closeSheet();
  if (state.key && state.key !== key) drafts.set(state.key, $("text").value);
  const sameChat = state.key === key;
  state.key = key;
  document.body.classList.toggle("in-chat", Boolean(key));
  if (!key) {
    renderPanel();
    return;
  }
  if (keyInAddress() !== key) history.replaceState(null, "", `#/${encodeURIComponent(key)}`);
  const chat = await server.chat(key);
  if (state.key !== key) return;
  const unsent = sameChat ? state.messages.filter((message) => message.request) : [];
  state.messages = [...chat.messages, ...unsent];
  customers.set(key, chat);
  if (!sameChat) {
    quoteNothing();
    $("text").value = drafts.get(key) ?? "";
    fitText();
  }
  showTyping(chat.typing_s);
  renderPanel();
  renderMessages();
  renderStrip();
  renderPresence();
  scrollToEnd();
  look();
  if (chosen && !narrow.matches) $("text").focus();
  if (!sameChat) renderOrders(chat);
  if (!sameChat) why?.show(key);
}

function hueOf(key) {
  return [...key].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 360, 7);
}

function customerLine(customer) {
  const face = el("span", { class: "face", "aria-hidden": "true" }, initials(customer.name));
  face.style.setProperty("--hue", hueOf(customer.key));
  const last = customer.last && el("span", { class: "last" }, plain(summarize(customer.last.content).slice(0, 120)));
  const unread = customer.unread
    ? el("span", { class: "unread", "aria-label": `${customer.unread} unread` }, String(customer.unread))
    : null;
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: "customer", "aria-current": customer.key === state.key ? "true" : null, dataset: { key: customer.key }, onclick: () => open(customer.key) },
      face,
      el("span", { class: "who" }, el("strong", {}, customer.name), el("small", {}, customer.shows || customer.phone || ""), last),
      el("span", { class: "right" }, customer.last ? el("time", {}, timeOf(customer.last.at)) : null, unread),
    ),
  );
}

function renderPanel() {
  $("customers").replaceChildren(...[...customers.values()].map(customerLine));
  $("suggestions").replaceChildren(...suggestionButtons().map((button) => el("li", {}, button)));
  const unread = [...customers.values()].reduce((sum, customer) => sum + customer.unread, 0);
  document.title = `${unread ? `(${unread}) ` : ""}${state.shop.name} on WhatsApp`;
}

/** What the shop's own system knows of this customer; a click writes the number into the message. */
async function renderOrders({ key, name, phone }) {
  $("own-orders").hidden = true;
  const response = phone && (await fetch(`/shop/customers/${encodeURIComponent(phone)}/orders`).catch(() => null));
  const found = response?.ok ? (await response.json()).orders : [];
  if (state.key !== key || !found.length) return;
  $("orders-of").textContent = `Orders of ${name}`;
  $("orders").replaceChildren(...found.map((order) => el("li", {}, el("button", { type: "button", class: "order-line", onclick: () => write(order.order_id) },
    el("strong", {}, named(order.order_id)), el("span", {}, order.status.replace(/_/g, " ")),
    el("small", {}, order.items.length ? order.items.map((item) => item.title).join(", ") : order.estimated_delivery ? `due ${dateOf(order.estimated_delivery)}` : "")))));
  $("own-orders").hidden = false;
}

function write(words) {
  $("text").value = `${$("text").value} ${words}`.trim();
  fitText();
  $("text").focus();
}

function suggestionButtons() {
  const tries = customers.get(state.key)?.tries ?? [];
  const all = [...new Set([...tries, ...SUGGESTIONS])].slice(0, 8);
  return all.map((text) => el("button", { type: "button", class: "suggestion", onclick: () => suggest(text) }, text));
}

function suggest(text) {
  if (state.key) say(text);
}

// ---- the chat

function handlers() {
  return {
    show: (wamid) => flash(wamid),
    quote: quoteMessage,
    react: (message, emoji) => send({ kind: "reaction", to: message.wamid, emoji }),
    press: (message, reply) => send({ kind: "button_reply", to: message.wamid, id: reply.id }),
    open: (message) =>
      showList(message.content.interactive.action, (row) => send({ kind: "list_reply", to: message.wamid, id: row.id })),
    shareNumber: (message) => send({ kind: "contacts", own: true, to: message.wamid }),
    shareLocation: (message) => send({ ...PLACE, reply_to: message.wamid }),
    expand: (message) => { message.expanded = true; replace(message); },
    retry: (message) => { forget(message.wamid); send(message.request); },
  };
}

const chatView = () => ({
  find: (wamid) => state.messages.find((message) => message.wamid === wamid),
  shopName: state.shop.name,
});

function renderMessages() {
  const nodes = [el("li", { class: "notice" }, "A pretend phone: nothing goes to WhatsApp. What you send reaches the assistant the way Meta would deliver it.")];
  state.messages.forEach((message, index) => nodes.push(...placed(message, state.messages[index - 1])));
  if (state.typing) nodes.push(typingBubble());
  rows.replaceChildren(...nodes);
  reachNewest();
}

const typingBubble = () =>
  el("li", { class: "row in first typing-row", "aria-label": `${state.shop.name} is typing` },
    el("div", { class: "bubble typing" }, el("i"), el("i"), el("i")));

function replace(message) {
  const old = document.getElementById(`m-${message.wamid}`);
  if (!old) return;
  const node = bubble(message, chatView(), handlers());
  if (old.classList.contains("first")) node.classList.add("first");
  const focused = old.contains(document.activeElement);
  const position = focused ? [...old.querySelectorAll("button, a")].indexOf(document.activeElement) : -1;
  old.replaceWith(node);
  reachNewest();
  if (position >= 0) node.querySelectorAll("button, a")[position]?.focus();
}

/** Put a message on the screen: new at the end, or in the place of what it was. */
function upsert(message) {
  const index = state.messages.findIndex((known) => known.wamid === message.wamid);
  if (index >= 0) {
    const known = state.messages[index];
    message.expanded = known.expanded;
    state.messages[index] = message;
    if (looks(known) !== looks(message)) replace(message);
    return;
  }
  append(message);
  if (state.following || message.author === "customer") scrollToEnd(true);
  else showJump();
}

/** What of a message can be seen; ticks are for one's own only. */
const looks = ({ author, status, content, reaction, chosen, trouble }) =>
  JSON.stringify([author === "customer" && status, content, reaction, chosen, trouble]);

function append(message) {
  const before = state.messages.at(-1);
  state.messages.push(message);
  const nodes = placed(message, before);
  nodes.at(-1).classList.add("arriving");
  const typing = document.querySelector(".typing-row");
  if (typing) typing.before(...nodes);
  else rows.append(...nodes);
  reachNewest();
}

/** The bubble, with the day above it when a new one begins. */
function placed(message, before) {
  const newDay = !before || dayOf(before.at) !== dayOf(message.at);
  const node = bubble(message, chatView(), handlers());
  if (newDay || before.author !== message.author) node.classList.add("first");
  return newDay ? [el("li", { class: "day" }, dayOf(message.at)), node] : [node];
}

/** Tab leads through the newest reply only; the arrows lead to the others, so that the message box is near. */
function reachNewest() {
  const replies = rows.querySelectorAll("li.row.in:not(.typing-row)");
  const newest = replies[replies.length - 1];
  for (const control of rows.querySelectorAll("button, a")) control.tabIndex = newest?.contains(control) && !control.closest(".tools") ? 0 : -1;
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function walk(event) {
  const [down, along] = STEPS[event.key] ?? [0, 0];
  const all = [...rows.querySelectorAll("li.row")].filter((row) => row.querySelector("button, a"));
  const row = event.target.closest("li.row");
  if (!(down || along) || !all.length || (!row && event.key !== "ArrowUp")) return;
  event.preventDefault();
  const to = row ? all[Math.min(all.length - 1, Math.max(0, all.indexOf(row) + down))] : all.at(-1);
  const controls = [...to.querySelectorAll("button, a")];
  controls[along ? Math.min(controls.length - 1, Math.max(0, controls.indexOf(event.target) + along)) : 0].focus();
}

function forget(wamid) {
  state.messages = state.messages.filter((message) => message.wamid !== wamid);
  renderMessages();
}

function flash(wamid) {
  const node = document.getElementById(`m-${wamid}`);
  node?.scrollIntoView({ block: "center", behavior: "smooth" });
  node?.classList.add("flash");
  setTimeout(() => node?.classList.remove("flash"), 1200);
}

const list = $("messages");
const rows = $("rows");
const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < 90;

function scrollToEnd(smooth = false) {
  state.following = true;
  list.scrollTo({ top: list.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  $("jump").hidden = true;
}

function arrivedAtEnd() {
  state.following = true;
  $("jump").hidden = true;
  look();
}

function showJump() {
  const unread = customers.get(state.key)?.unread;
  $("jump").hidden = false;
  $("jump").querySelector("span").textContent = unread ? String(unread) : "";
}

function showTyping(seconds) {
  clearTimeout(state.typing);
  state.typing = seconds > 0 ? setTimeout(() => showTyping(0), seconds * 1000) : null;
  document.querySelector(".typing-row")?.remove();
  if (state.typing) rows.append(typingBubble());
  if (state.typing && state.following) scrollToEnd(true);
  renderPresence();
}

function renderPresence() {
  const words = !state.connected || !state.key ? "connecting…" : state.typing ? "typing…" : state.ready === false ? "away" : "online";
  $("presence").textContent = words;
  $("presence").classList.toggle("typing-now", words === "typing…");
  const banner = !state.connected
    ? "Connection to the simulator lost. Trying again…"
    : state.ready === false
      ? "The assistant is starting or away. Messages are kept and delivered as soon as it is back."
      : "";
  $("banner").hidden = !banner;
  $("banner").textContent = banner;
}

/** Tell the shop that its messages were seen, when they are on the screen. */
function look() {
  const customer = customers.get(state.key);
  if (!customer || !customer.unread || document.hidden || !state.following) return;
  customer.unread = 0;
  renderPanel();
  server.seen(state.key).catch(() => {});
}

// ---- what the customer does

const PLACE = { kind: "location", latitude: 12.9716, longitude: 77.5946, name: "Home", address: "Church Street, Bengaluru" };

/** Send something; words are shown at once, and stay with a "Try again" when the twin is away. */
async function send(request) {
  const key = state.key;
  const shown = request.kind === "text" ? waiting(request) : null;
  if (shown) upsert(shown);
  try {
    const message = await server.write(key, request);
    if (state.key !== key) return;
    if (shown) forget(shown.wamid);
    if (request.kind !== "reaction") upsert(keep(message));
  } catch (error) {
    if (shown && state.key === key) {
      shown.status = "unsent";
      replace(shown);
    } else tell(error.message);
  }
}

/** What the stream already told is newer than the answer of the request. */
const keep = (message) => state.messages.find((known) => known.wamid === message.wamid) ?? message;

function waiting(request) {
  pendingNumber += 1;
  const content = { type: "text", text: { body: request.text } };
  return { wamid: `pending-${pendingNumber}`, author: "customer", at: Date.now() / 1000, content, status: "sending", reply_to: request.reply_to, chosen: [], request };
}

function tell(words) {
  $("banner").hidden = false;
  $("banner").textContent = words;
  setTimeout(renderPresence, 5000);
}

function say(text) {
  if (!text.trim()) return;
  const reply_to = state.quoting?.wamid;
  quoteNothing();
  send({ kind: "text", text, ...(reply_to ? { reply_to } : {}) });
}

function quoteMessage(message) {
  state.quoting = message;
  const cancel = el("button", { type: "button", class: "icon-button", "aria-label": "Do not quote", onclick: quoteNothing }, icon("close"));
  $("quoting").replaceChildren(quote(message, chatView()), cancel);
  $("quoting").hidden = false;
  $("text").focus();
}

function quoteNothing() {
  state.quoting = null;
  $("quoting").hidden = true;
  $("quoting").replaceChildren();
}

function attach() {
  const caption = () => {
    const text = $("text").value.trim();
    $("text").value = "";
    fitText();
    return text;
  };
  const customer = customers.get(state.key);
  const own = customer.phone ? "Share my number" : "Share my number (+91 98123 00045)";
  showOptions("Attach", [
    { icon: "picture", label: "A photo of a torn parcel", run: () => send({ kind: "image", caption: caption() }) },
    { icon: "picture", label: "A photo of your own", run: () => $("picture").click() },
    { icon: "microphone", label: "A voice message that says what you typed", run: () => send({ kind: "voice", text: caption() }) },
    { icon: "pin", label: "A location", run: () => send(PLACE) },
    { icon: "person", label: own, run: () => send({ kind: "contacts", own: true }) },
    { icon: "warning", label: "Something unsupported", run: () => send({ kind: "unsupported" }) },
  ]);
}

/** Phone, dialogue, takeover and log forget this customer together. */
async function startOver() {
  try {
    await server.startOver(state.key);
    drafts.delete(state.key);
    state.key = null;
    await refresh();
  } catch (error) {
    tell(error.message);
  }
}

async function sendPicture() {
  const [chosen] = $("picture").files;
  $("picture").value = "";
  if (!chosen) return;
  const reader = new FileReader();
  reader.onload = () => send({ kind: "image", mime_type: chosen.type, base64: reader.result.split(",")[1], caption: $("text").value.trim() });
  reader.readAsDataURL(chosen);
}

function fitText() {
  const text = $("text");
  text.style.height = "auto";
  const height = text.scrollHeight + text.offsetHeight - text.clientHeight;
  text.style.height = `${Math.min(height, 132)}px`;
  text.style.overflowY = height > 132 ? "auto" : "hidden";
}

function renderStrip() {
  $("strip").replaceChildren(...suggestionButtons());
  const show = narrow.matches && state.messages.length === 0;
  $("strip").hidden = !show;
  $("ideas").setAttribute("aria-expanded", String(show));
}

// ---- what happens elsewhere

function onEvent(event) {
  if (event.event === "reset") refresh();
  if (event.event === "scenario") {
    scenes.show(event.played);
    if (event.played.customer && event.played.customer !== state.key && customers.has(event.played.customer)) open(event.played.customer);
  }
  if (event.event === "health") {
    state.ready = event.ready;
    renderPresence();
  }
  if (event.event === "typing" && event.key === state.key) showTyping(event.seconds);
  if (event.event === "message") onMessage(event);
}

function onMessage({ key, message, unread }) {
  const customer = customers.get(key);
  if (!customer) {
    server.chat(key).then((chat) => { customers.set(key, chat); renderPanel(); }).catch(() => {});
    return;
  }
  customer.unread = unread;
  if (!customer.last || message.at >= customer.last.at) customer.last = message;
  if (key === state.key) {
    const isNew = !state.messages.some((known) => known.wamid === message.wamid);
    if (isNew && message.author === "shop") showTyping(0);
    const echo = isNew && message.author === "customer" && state.messages.find((known) => known.status === "sending" && known.request?.text === message.content.text?.body);
    if (echo) forget(echo.wamid);
    upsert(message);
    look();
    why?.heard();
  }
  renderPanel();
}

/** The shops at hand; this one is the first. Another takes its place at the same address, in half a minute or so. */
async function renderShops() {
  const { shops } = await server.shops();
  const select = $("shops").querySelector("select");
  select.replaceChildren(...shops.map(({ folder, name }) => el("option", { value: folder }, name)));
  $("shops").hidden = shops.length < 2;
  select.addEventListener("change", async () => {
    const before = await server.state();
    const name = select.selectedOptions[0].textContent;
    await server.goOnWith(select.value);
    $("banner").hidden = false;
    $("banner").textContent = `Starting ${name}. Its model is trained first if it has none…`;
    const look = setInterval(() => server.state().then(({ shop }) => {
      if (shop.name === before.shop.name) return;
      clearInterval(look);
      location.assign("/");
    }).catch(() => {}), 1500);
  });
}

// ---- wiring

function wire() {
  document.querySelector(".skip").addEventListener("click", (event) => { event.preventDefault(); $("text").focus(); });
  $("send").append(icon("send"));
  $("attach").append(icon("plus"));
  $("back").append(icon("back"));
  $("ideas").append(icon("idea"));
  $("jump").append(icon("down"));
  document.querySelector(".verified").append(icon("check"));
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = $("text").value;
    if (!text.trim() || !state.key) return;
    $("text").value = "";
    fitText();
    if (narrow.matches) $("strip").hidden = true;
    say(text);
  });
  $("text").addEventListener("input", fitText);
  $("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("composer").requestSubmit();
    }
    if (event.key === "Escape") quoteNothing();
  });
  list.addEventListener("keydown", walk);
  $("attach").addEventListener("click", attach);
  $("start-over").addEventListener("click", startOver);
  $("picture").addEventListener("change", sendPicture);
  $("jump").addEventListener("click", () => { scrollToEnd(true); look(); });
  $("back").addEventListener("click", () => { history.replaceState(null, "", "#"); open(null); });
  $("ideas").addEventListener("click", () => {
    $("strip").hidden = !$("strip").hidden;
    $("ideas").setAttribute("aria-expanded", String(!$("strip").hidden));
  });
  $("own-number").addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const customer = await server.addCustomer($("own-phone").value);
      customers.set(customer.key, customer);
      $("own-phone").value = "";
      await open(customer.key);
    } catch (error) {
      $("own-phone").setCustomValidity(error.message);
      $("own-phone").reportValidity();
      $("own-phone").setCustomValidity("");
    }
  });
  new ResizeObserver(() => state.following && scrollToEnd()).observe(list);
  let top = 0;
  list.addEventListener("scroll", () => {
    if (atEnd()) arrivedAtEnd();
    else if (list.scrollTop < top) state.following = false;
    top = list.scrollTop;
  });
  list.addEventListener("click", (event) => {
    const said = event.target.closest("li.row");
    if (said) why?.focus(said.dataset.wamid);
    const row = event.target.closest("li.row.in");
    if (row && !event.target.closest("button, a")) row.classList.toggle("selected");
  });
  document.addEventListener("visibilitychange", look);
  addEventListener("hashchange", () => keyInAddress() !== (state.key ?? "") && refresh());
  const tick = () => ($("clock").textContent = timeOf(Date.now() / 1000));
  tick();
  setInterval(tick, 5000);
}

document.body.classList.toggle("bare", new URLSearchParams(location.search).has("bare"));
wire();
renderShops().catch(() => {});
scenarios($("scenes"), () => state.key, tell).then((found) => { scenes = found; });
inspector($("tips"), $("ask-why")).then((panel) => {
  why = panel;
  for (const tab of document.querySelectorAll(".needs-console")) tab.hidden = !panel;
  if (state.key) why?.show(state.key);
});
listen({
  open: () => { state.connected = true; refresh().catch(() => {}); },
  lost: () => { state.connected = false; renderPresence(); },
  event: onEvent,
});
