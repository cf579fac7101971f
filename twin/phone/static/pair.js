// Two phones on one screen: what one customer reads, the other does not.

import { el } from "./dom.js";
import { server } from "./server.js";

const { chats } = await server.state();

function seat(customer, place) {
  const address = (key) => `/?bare#/${encodeURIComponent(key)}`;
  const phone = el("iframe", { src: address(customer.key), title: `Phone ${place}` });
  const choose = el("select", { "aria-label": `Who holds phone ${place}`, onchange: () => { phone.src = "about:blank"; setTimeout(() => { phone.src = address(choose.value); }); } },
    chats.map((one) => el("option", { value: one.key, selected: one.key === customer.key }, `${one.name}: ${one.shows}`)));
  return el("section", { class: "seat", "aria-label": `Phone ${place}` }, choose, phone);
}

document.getElementById("phones").replaceChildren(...chats.slice(0, 2).map((customer, index) => seat(customer, index + 1)));
