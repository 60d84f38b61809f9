// What is wrong with the look of a page, as a list of complaints: text or a
// frame with too little contrast (WCAG 2.2, 1.4.3 and 1.4.11), words that are
// broken, and anything that makes the page wider than the window (1.4.10).
(() => {
  const complaints = [];
  const named = (e) => e.tagName.toLowerCase() + (e.id && "#" + e.id) + (e.className && "." + e.className);
  const modal = document.querySelector(":modal"); // what is behind it cannot be used
  const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && (!modal || modal.contains(e));

  // A colour as red, green, blue and how opaque it is.
  const parse = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const over = ([r, g, b, a], ground) => [r, g, b].map((c, i) => c * a + ground[i] * (1 - a));
  const luminance = (colour) => {
    const [r, g, b] = colour.map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  // What is behind the content of an element.
  const ground = (e) => over(parse(getComputedStyle(e).backgroundColor), e.parentElement ? ground(e.parentElement) : [255, 255, 255]);
  const opacity = (e) => Number(getComputedStyle(e).opacity) * (e.parentElement ? opacity(e.parentElement) : 1);
  const drawn = (text, e) => {
    const [r, g, b, a] = parse(text);
    return over([r, g, b, a * opacity(e)], ground(e));
  };
  const need = (least, what, one, other) => {
    const got = contrast(one, other);
    if (got < least) complaints.push(`${what}: contrast ${got.toFixed(2)}, want ${least}`);
  };

  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth) complaints.push(`the page is ${page.scrollWidth} wide in a window of ${innerWidth}`);

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || !shown(e) || e.closest("style, script")) continue;
    if (!e.closest(":disabled")) need(4.5, `text of ${named(e)} ${JSON.stringify(node.data.trim().slice(0, 20))}`, drawn(getComputedStyle(e).color, e), ground(e));
    for (const word of node.data.matchAll(/(?<!\S)\S{2,14}(?!\S)/g)) { // longer ones may have to be
      const range = document.createRange();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((r) => r.top)).size;
      if (lines > 1) complaints.push(`${named(e)}: ${word[0]} is broken into ${lines} lines`);
    }
  }

  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea")) {
    if (!shown(e)) continue;
    const style = getComputedStyle(e);
    need(4.5, `text in ${named(e)} ${e.name}`, drawn(style.color, e), ground(e));
    if (e.placeholder) need(4.5, `placeholder of ${named(e)} ${e.name}`, drawn(getComputedStyle(e, "::placeholder").color, e), ground(e));
    const border = drawn(style.borderTopColor, e);
    if (parseFloat(style.borderTopWidth) < 1) complaints.push(`${named(e)} ${e.name} has no border`);
    need(3, `border of ${named(e)} ${e.name} to what is inside`, border, ground(e));
    need(3, `border of ${named(e)} ${e.name} to what is outside`, border, ground(e.parentElement));
  }
  return complaints;
})()
