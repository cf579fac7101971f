// One ticket as agents read it: who speaks, how long the customer waits, and what was said by whom.

import { dayOf, el, icon, safeAddress, timeOf } from "./dom.js";
import { DRAFT, paragraph, titled } from "./markdown.js";
import { readNote, withoutFiles, withoutFoot } from "./transcript.js";

const SHOWN = 8; // lines of the conversation before the ticket; the rest unfolds
const LATE_MIN = 10;
const PICTURE = /\.(?:png|jpe?g|webp)(?:$|\?)/i;

export const seconds = (moment) => Date.parse(moment) / 1000;
export const isOver = (ticket) => ["solved", "closed"].includes(ticket.status);
export const withAssistant = (ticket) => ticket.tags.some((word) => ["with_the_assistant", "settled_by_customer"].includes(word));
export const tag = (word) => el("span", { class: `tag ${word}` }, word);
export const subjectOf = (ticket) => ticket.subject.replace(/^\[WhatsApp\] /, "");

const when = (moment) => (dayOf(seconds(moment)) === "Today" ? "" : `${dayOf(seconds(moment))}, `) + timeOf(seconds(moment));
const byCustomer = (ticket, comment) => comment.author_id === ticket.requester.id;
const byAgent = (ticket, comment) => !byCustomer(ticket, comment) && comment.author !== "Assistant";

/** Since when (epoch seconds) the customer has waited for a person's answer; null when they do not. */
export function waiting(ticket) {
  if (isOver(ticket) || withAssistant(ticket)) return null;
  const answered = ticket.comments.findLastIndex((comment) => byAgent(ticket, comment) && comment.public);
  const since = ticket.comments.slice(answered + 1).find((comment) => byCustomer(ticket, comment));
  return answered < 0 ? seconds(ticket.created_at) : since ? seconds(since.created_at) : null;
}

/** Who has the conversation now: {who: assistant|waiting|agent, words}. */
export function speaker(ticket) {
  if (isOver(ticket) || withAssistant(ticket)) return { who: "assistant", words: "With the assistant" };
  const agent = ticket.comments.findLast((comment) => byAgent(ticket, comment) && comment.public);
  const since = waiting(ticket);
  const minutes = since === null ? 0 : Math.floor((Date.now() / 1000 - since) / 60);
  const waits = since === null ? "" : minutes < 1 ? "waits for less than a minute" : `waits for ${lasting(minutes)}`;
  const late = minutes >= LATE_MIN ? " late" : "";
  if (!agent) return { who: `waiting${late}`, words: `Customer ${waits}` };
  return { who: `agent${late}`, words: `${agent.author} speaks${waits ? `, customer ${waits}` : ""}` };
}

const lasting = (minutes) => (minutes < 60 ? `${minutes} min` : minutes < 1440 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${Math.floor(minutes / 1440)} d`);

export function facts(ticket) {
  const reasons = ticket.tags.filter((word) => word.startsWith("reason_")).map((word) => word.slice(7).replace(/_/g, " "));
  return [
    el("span", { id: "speaks", class: "tag speaks" }),
    tag(ticket.status),
    ...(ticket.priority ? [tag(ticket.priority)] : []),
    ...reasons.map((word) => el("span", { class: "tag" }, word)),
    el("span", {}, [ticket.requester.name, ticket.requester.phone].filter(Boolean).join(" · ")),
  ];
}

/** One comment; `use` puts a draft into the agent's own box. */
export function commentOf(ticket, comment, use) {
  const customer = byCustomer(ticket, comment);
  const agent = byAgent(ticket, comment);
  const looks = customer ? "theirs" : agent ? (comment.public ? "agent" : "note") : "note assistant";
  const whom = customer ? "customer" : agent ? (comment.public ? "to the customer" : "private note") : "the assistant's note";
  const { words: whole, when: wrote } = withoutFoot(comment.body);
  const { words, files: linked } = withoutFiles(whole);
  const { head, lines } = customer ? { head: words, lines: [] } : readNote(words);
  return el("div", { class: `comment ${looks}`, id: `c-${comment.id}` },
    el("header", {},
      icon(customer ? "person" : agent ? (comment.public ? "reply" : "note") : "robot"),
      el("strong", {}, comment.author),
      el("span", { class: "whom" }, whom),
      el("time", { title: wrote ? `Written on WhatsApp ${wrote}` : null }, when(comment.created_at))),
    ...(customer || agent ? (head ? [paragraph(head)] : []) : blocks(head, use)),
    ...linked.map(theirs),
    ...conversation(lines),
    ...files(comment));
}

function blocks(head, use) {
  return titled(head).map(({ title, text }) => el("div", { class: "block" },
    title ? el("h3", {}, title) : null,
    paragraph(text),
    DRAFT.test(title) ? el("button", { type: "button", class: "use", onclick: () => use(text.trim()) }, "Use as my reply") : null));
}

function conversation(lines) {
  if (!lines.length) return [];
  const said = (line) => el("div", { class: `said by-${line.author}` },
    el("span", { class: "by" }, `${line.author[0].toUpperCase()}${line.author.slice(1)} · ${line.at}`), paragraph(line.text));
  const earlier = lines.slice(0, -SHOWN);
  return [
    el("h3", {}, "Conversation before"),
    earlier.length ? el("details", {}, el("summary", {}, `${earlier.length} earlier messages`), earlier.map(said)) : null,
    ...lines.slice(-SHOWN).map(said),
  ].filter(Boolean);
}

/** What a customer sent: a picture is shown, anything else is a link. */
function theirs({ kind, name, url }) {
  const link = el("a", { class: "file", href: url, target: "_blank", rel: "noopener noreferrer" }, icon("document"), el("span", {}, el("strong", {}, name)));
  if (kind !== "image") return link;
  const picture = el("img", { class: "picture", src: `/desk/api/picture?url=${encodeURIComponent(url)}`, alt: "Photo from the customer" });
  picture.addEventListener("error", () => picture.replaceWith(link), { once: true });
  return picture;
}

function files(comment) {
  return comment.attachments.map((file) => {
    const url = safeAddress(file.content_url);
    const here = url && url.origin === location.origin;
    if (here && (PICTURE.test(file.file_name ?? "") || /^image\//.test(file.content_type ?? ""))) {
      return el("a", { href: url.href, target: "_blank", rel: "noopener" }, el("img", { class: "picture", src: url.href, alt: file.file_name ?? "Photo" }));
    }
    const inside = [icon("document"), el("span", {}, el("strong", {}, file.file_name || "Attachment"), el("small", {}, url?.host ?? ""))];
    return url ? el("a", { class: "file", href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, inside) : el("div", { class: "file" }, inside);
  });
}
