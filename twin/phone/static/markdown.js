// Agents' Markdown as elements: headings, lists, quotes, **bold**, [links](…); the rest is WhatsApp's own formatting.

import { el, link, safeAddress } from "./dom.js";
import { format } from "./format.js";

const LINK = /!?\[([^\]\n]{0,200})\]\((https?:\/\/[^\s)]+)\)/;

/** The text as a list of nodes. */
export function markdown(text) {
  return text.split(LINK).flatMap((part, index, parts) => {
    if (index % 3 === 1) return [];
    if (index % 3 === 2) return [safeAddress(part) ? link(part, parts[index - 1] || part) : part];
    return format(part.replace(/^#{1,6} +(.+)$/gm, "*$1*").replace(/\*\*([^*\n]+)\*\*/g, "*$1*").replace(/__([^_\n]+)__/g, "*$1*"));
  });
}

/** Lines as blocks with a heading each: one that ends in a colon names what is indented or listed below it. */
export function titled(text) {
  return text.split(/\n{2,}/).filter((block) => block.trim()).map((block) => {
    const [first, ...rest] = block.split("\n");
    return first.endsWith(":") && rest.length ? { title: first.slice(0, -1), text: rest.join("\n") } : { title: "", text: block };
  });
}

export const paragraph = (text) => el("div", { class: "words", dir: "auto" }, markdown(text));
