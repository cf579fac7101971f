// WhatsApp's text formatting: *bold* _italic_ ~strike~ `code` ```block```, lists, quotes and links, as elements.

import { el, link } from "./dom.js";

const MAX_STYLE = 700; // characters; keeps a text full of asterisks from taking seconds
const LINKS = /(?:https?:\/\/|www\.)[^\s<>"'`]+/gi;
const TAGS = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;
const ONLY_EMOJI = /^(?:\p{Extended_Pictographic}|\u200d|\ufe0f|[\u{1F3FB}-\u{1F3FF}]){1,12}$/u;

/** The text as a list of nodes. */
export function format(text) {
  return text.split(/```([\s\S]+?)```/).flatMap((part, index) =>
    index % 2 ? [el("code", { class: "block" }, part.replace(/^\n|\n$/g, ""))] : lines(part),
  );
}

/** The text without its markers, for one line of it. */
export const plain = (text) => el("span", {}, format(text)).textContent.replace(/\s+/g, " ");

export const isOnlyEmoji = (text) => ONLY_EMOJI.test(text.trim().replace(/\s/g, ""));

function lines(text) {
  const nodes = [];
  let textBefore = false;
  for (const line of text.split("\n")) {
    const quote = /^> ?(.*)$/.exec(line);
    const bullet = /^([-*•]|\d{1,2}[.)]) +(\S.*)$/.exec(line);
    if (quote) nodes.push(el("blockquote", {}, inline(quote[1])));
    else if (bullet) nodes.push(el("div", { class: "item", dataset: { mark: /\d/.test(bullet[1]) ? bullet[1] : "•" } }, inline(bullet[2])));
    else {
      if (textBefore) nodes.push("\n");
      nodes.push(...inline(line));
    }
    textBefore = !quote && !bullet;
  }
  return nodes;
}

function inline(text) {
  return text.split(/`([^`\n]+)`/).flatMap((part, index) => (index % 2 ? [el("code", {}, part)] : styled(part)));
}

function styled(text) {
  const links = new Map();
  for (const match of text.matchAll(LINKS)) {
    const address = withoutTail(match[0]);
    links.set(match.index, { end: match.index + address.length, address });
  }
  return parse(text, 0, text.length, links);
}

/** A sentence's full stop or closing bracket does not belong to the address before it. */
function withoutTail(address) {
  let end = address.length;
  while (/[.,!?:;*_~)\]}'"]/.test(address[end - 1] ?? "")) {
    if (address[end - 1] === ")" && address.slice(0, end).split("(").length === address.slice(0, end).split(")").length) break;
    end -= 1;
  }
  return address.slice(0, end);
}

function parse(text, start, end, links) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = "";
  };
  for (let at = start; at < end; ) {
    const found = links.get(at)?.end <= end ? links.get(at) : null;
    const close = found ? -1 : closing(text, at, end, links);
    if (found) {
      flush();
      const address = found.address.toLowerCase().startsWith("www.") ? `https://${found.address}` : found.address;
      nodes.push(link(address, found.address));
      at = found.end;
    } else if (close > 0) {
      flush();
      nodes.push(el(TAGS[text[at]], {}, parse(text, at + 1, close, links)));
      at = close + 1;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  flush();
  return nodes;
}

/** Where the style that opens at `at` closes, or -1: markers hug their words and stand outside of others. */
function closing(text, at, end, links) {
  const mark = text[at];
  if (!TAGS[mark] || WORD.test(text[at - 1] ?? "") || /[\s]/.test(text[at + 1] ?? " ") || text[at + 1] === mark) return -1;
  for (let close = at + 1; close < Math.min(end, at + MAX_STYLE); close += 1) {
    if (links.has(close)) close = links.get(close).end - 1;
    else if (text[close] === mark && close > at + 1 && !/\s/.test(text[close - 1]) && !WORD.test(text[close + 1] ?? "")) return close;
  }
  return -1;
}
