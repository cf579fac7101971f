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

export const DRAFT = /^(?:draft|suggested)/i;

/** Lines as blocks with a heading each: one that ends in a colon names what is below it; a draft goes on to the next. */
export function titled(text) {
  const found = [];
  for (const block of text.split(/\n{2,}/).filter((one) => one.trim())) {
    const [first, ...rest] = block.split("\n");
    const title = first.endsWith(":") && rest.length ? first.slice(0, -1) : "";
    if (!title && DRAFT.test(found.at(-1)?.title ?? "")) found.at(-1).text += `\n\n${block}`;
    else found.push({ title, text: title ? rest.join("\n") : block });
  }
  return found;
}

export const paragraph = (text) => el("div", { class: "words", dir: "auto" }, markdown(text));
