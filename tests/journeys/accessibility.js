() => {
  // What of axe-core's rules these pages have broken before: contrast (AA), names of controls, lists, ids. Returns complaints.
  const found = [];
  const seen = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const channels = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    for (let one = node; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.backgroundImage !== "none") return null; // a drawing or a gradient: not for arithmetic
      const [r, g, b, alpha = 1] = channels(style.backgroundColor);
      if (alpha === 1) return [r, g, b];
      if (alpha > 0) return null;
    }
    return null;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !seen(node) || node.closest(":disabled, [inert], noscript, script")) continue;
    const style = getComputedStyle(node);
    const behind = ground(node);
    if (!behind) continue;
    const [one, other] = [luminance(channels(style.color)), luminance(behind)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize);
    const enough = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ratio = (one + 0.05) / (other + 0.05);
    if (ratio < enough) found.push(`contrast ${ratio.toFixed(2)} of "${walker.currentNode.data.trim().slice(0, 40)}" ${style.color} on ${behind}`);
  }
  for (const node of document.querySelectorAll("button, a[href], input:not([type=hidden]), select, textarea, iframe, [role=dialog], [role=switch]")) {
    const label = node.getAttribute("aria-label") || node.getAttribute("aria-labelledby") || node.labels?.[0]?.textContent || node.textContent || node.title || "";
    if (seen(node) && !label.trim()) found.push(`no name: ${node.outerHTML.slice(0, 80)}`);
  }
  for (const node of document.querySelectorAll("li")) {
    if (!node.parentElement.matches("ul:not([role]), ol:not([role])")) found.push(`not in a list: ${node.outerHTML.slice(0, 80)}`);
  }
  for (const node of document.querySelectorAll("img:not([alt])")) found.push(`no alt: ${node.src}`);
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  ids.filter((id, place) => ids.indexOf(id) !== place).forEach((id) => found.push(`id twice: ${id}`));
  if (document.querySelectorAll("h1").length !== 1 && !document.querySelector("#subject")) found.push("not one h1");
  return found;
}
