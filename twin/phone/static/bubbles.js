// One message as a bubble. `message` is what the server tells: {wamid, author, at, content, status, reply_to, …}.

import { el, icon, link, safeAddress, timeOf } from "./dom.js";
import { format, isOnlyEmoji, plain } from "./format.js";

const LONG = 900;
const TICKS = {
  sending: ["clock", "Sending"],
  sent: ["check", "Sent"],
  delivered: ["checks", "Delivered"],
  read: ["checks", "Read"],
  failed: ["warning", "Not sent"],
};

/** What a message says in one line: for the chat list, quotes and screen readers. */
export function summarize(content) {
  const part = content[content.type] ?? {};
  switch (content.type) {
    case "text": return part.body;
    case "interactive": {
      const reply = part.button_reply ?? part.list_reply;
      return reply ? reply.title : part.body?.text ?? "";
    }
    case "image": return part.caption || "Photo";
    case "video": return part.caption || "Video";
    case "document": return part.filename || part.caption || "Document";
    case "audio": return part.voice ? "Voice message" : "Audio";
    case "location": return part.name || "Location";
    case "contacts": return part[0]?.name?.formatted_name ?? "Contact";
    case "template": return `Template: ${part.name}`;
    default: return content.type.replace(/_/g, " ");
  }
}

/** The list item of a message. `chat` gives {find(wamid), name, shopName}, `on` the handlers. */
export function bubble(message, chat, on) {
  const mine = message.author === "customer";
  const card = el("div", { class: "bubble", dir: "auto" });
  const quoted = message.reply_to && chat.find(message.reply_to);
  if (quoted) card.append(quote(quoted, chat, () => on.show(quoted.wamid)));
  card.append(...(RENDER[message.content.type] ?? renderOther)(message.content[message.content.type] ?? {}, message, on));
  const last = card.lastElementChild;
  if (last?.matches(".words:not(.clamped)")) last.classList.add("last-line");
  card.append(meta(message, mine));
  const item = el(
    "li",
    { class: `row ${mine ? "out" : "in"}`, id: `m-${message.wamid}`, dataset: { wamid: message.wamid, author: message.author } },
    el("div", { class: "stack" }, card, ...below(message, on)),
  );
  if (message.content.type === "text" && isOnlyEmoji(message.content.text.body)) item.classList.add("emoji-only");
  if (!mine) item.append(tools(message, on));
  if (message.reaction) {
    item.classList.add("reacted");
    card.append(el("span", { class: "reaction", "aria-label": `Reaction ${message.reaction}` }, message.reaction));
  }
  if (message.trouble) item.append(el("p", { class: "trouble" }, icon("warning"), message.trouble));
  if (message.status === "unsent") item.append(retry(message, on));
  return item;
}

function retry(message, on) {
  const again = el("button", { type: "button", onclick: () => on.retry(message) }, "Try again");
  return el("p", { class: "trouble" }, icon("warning"), "Not sent. ", again);
}

function meta(message, mine) {
  const line = el("span", { class: "meta" }, el("time", {}, timeOf(message.at)));
  if (mine) {
    const [name, label] = TICKS[message.status] ?? TICKS.failed;
    line.append(el("span", { class: `ticks ${message.status}`, dataset: { status: message.status } }, icon(name, label)));
  }
  return line;
}

function tools(message, on) {
  const thumb = message.reaction === "👍" ? "" : "👍";
  return el(
    "div",
    { class: "tools" },
    el("button", { type: "button", class: "icon-button", "aria-label": "Reply to this message", onclick: () => on.quote(message) }, icon("reply")),
    el("button", { type: "button", class: "icon-button", "aria-label": thumb ? "React with a thumbs up" : "Remove the reaction", onclick: () => on.react(message, thumb) }, icon("smile")),
  );
}

export function quote(message, chat, onclick) {
  const author = message.author === "customer" ? "You" : chat.shopName;
  const inside = [el("strong", {}, author), el("span", {}, plain(summarize(message.content).slice(0, 200)))];
  if (!onclick) return el("div", { class: `quote from-${message.author}` }, inside);
  return el("button", { type: "button", class: `quote from-${message.author}`, onclick }, inside);
}

function words(text, message, on) {
  const body = el("div", { class: "words" }, format(text));
  if (text.length <= LONG || message.expanded) return [body];
  body.classList.add("clamped");
  const more = el("button", { type: "button", class: "more", onclick: () => on.expand(message) }, "Read more");
  return [body, more];
}

const RENDER = {
  text: (text, message, on) => words(text.body, message, on),
  interactive: renderInteractive,
  image: (image, message, on) => [picture(image, message), ...caption(image, message, on)],
  video: (video, message, on) => [file("play", "Video", video), ...caption(video, message, on)],
  document: (doc, message, on) => [file("document", doc.filename || "Document", doc), ...caption(doc, message, on)],
  sticker: (sticker, message) => [picture(sticker, message)],
  audio: () => [voice()],
  location: (place) => [map(place)],
  contacts: (cards) => [...cards].map(person),
  template: renderTemplate,
  unsupported: () => [el("div", { class: "words muted" }, "A kind of message that businesses cannot receive")],
};

function renderOther(part, message) {
  return [el("div", { class: "words muted" }, summarize(message.content))];
}

function renderInteractive(part, message, on) {
  const reply = part.button_reply ?? part.list_reply;
  if (reply) {
    const detail = reply.description ? [el("div", { class: "words muted" }, reply.description)] : [];
    return [el("div", { class: "words" }, reply.title), ...detail];
  }
  const header = part.header;
  const nodes = [];
  if (header?.type === "text") nodes.push(el("div", { class: "heading" }, header.text));
  else if (header?.type === "image") nodes.push(picture(header.image, message));
  else if (header) nodes.push(file("document", header[header.type]?.filename || header.type, header[header.type] ?? {}));
  nodes.push(...words(part.body.text, message, on));
  if (part.footer) nodes.push(el("div", { class: "footer" }, part.footer.text));
  return nodes;
}

/** Buttons under the bubble of an interactive message. */
function below(message, on) {
  const part = message.content.interactive;
  if (message.author !== "shop" || !part?.action) return [];
  const press = (props, ...inside) => el("button", { type: "button", class: "choice", ...props }, inside);
  switch (part.type) {
    case "button":
      return part.action.buttons.map(({ reply }) =>
        press({ disabled: message.chosen.includes(reply.id), onclick: () => on.press(message, reply) }, icon("reply"), reply.title));
    case "list":
      return [press({ "aria-haspopup": "dialog", onclick: () => on.open(message) }, icon("list"), part.action.button)];
    case "cta_url": {
      const { url, display_text: label } = part.action.parameters;
      if (!safeAddress(url)) return [press({ disabled: true }, label)];
      const anchor = link(url, icon("link"), label);
      anchor.className = "choice";
      anchor.title = url;
      return [anchor];
    }
    case "location_request_message":
      return [press({ onclick: () => on.shareLocation(message) }, icon("pin"), "Send location")];
    case "request_contact_info":
      return [press({ onclick: () => on.shareNumber(message) }, icon("person"), "Share phone number")];
    default:
      return [];
  }
}

function picture(image, message) {
  const own = image.id ? `/phone/api/media/${encodeURIComponent(image.id)}` : null;
  const url = own ? new URL(own, location.origin) : safeAddress(image.link);
  if (url && url.origin === location.origin) {
    return el("img", { class: "picture", src: url.href, alt: image.caption || "Photo", loading: "lazy" });
  }
  return file("picture", url ? `Photo on ${url.host}` : "Photo", image);
}

function caption(part, message, on) {
  return part.caption ? words(part.caption, message, on) : [];
}

function file(name, title, part) {
  const inside = [icon(name), el("span", {}, el("strong", {}, title), el("small", {}, part.link ? safeAddress(part.link)?.host ?? "" : "Attachment"))];
  const kept = part.id ? { href: `/phone/api/media/${encodeURIComponent(part.id)}`, download: part.filename || title } : null;
  const node = part.link ? link(part.link, inside) : el(kept ? "a" : "div", kept ?? {}, inside);
  node.className = "file";
  return node;
}

function voice() {
  const bars = Array.from({ length: 26 }, (_, index) => {
    const bar = el("i");
    bar.style.height = `${4 + Math.abs(Math.sin(index * 1.7) * Math.cos(index * 0.6)) * 16}px`;
    return bar;
  });
  return el("div", { class: "voice", role: "img", "aria-label": "Voice message, 7 seconds" }, icon("play"), el("span", { class: "bars" }, bars), el("small", {}, "0:07"));
}

function map(place) {
  const where = `https://www.openstreetmap.org/?mlat=${Number(place.latitude)}&mlon=${Number(place.longitude)}#map=16/${Number(place.latitude)}/${Number(place.longitude)}`;
  const text = el("span", { class: "place" }, el("strong", {}, place.name || "Location"), el("small", {}, place.address || `${place.latitude}, ${place.longitude}`));
  const node = link(where, el("span", { class: "map" }, icon("pin")), text);
  node.classList.add("location");
  return node;
}

function person(card) {
  const phone = card.phones?.[0]?.phone ?? "";
  return el("div", { class: "file" }, icon("person"), el("span", {}, el("strong", {}, card.name?.formatted_name ?? "Contact"), el("small", {}, phone)));
}

function renderTemplate(template) {
  const values = (template.components ?? []).flatMap((component) => component.parameters ?? []).map((value) => value.text ?? value.type);
  const nodes = [el("div", { class: "heading" }, icon("template"), ` ${template.name}`)];
  if (values.length) nodes.push(el("div", { class: "words" }, values.join("\n")));
  nodes.push(el("div", { class: "footer" }, `Approved template, ${template.language?.code ?? ""}`));
  return nodes;
}
