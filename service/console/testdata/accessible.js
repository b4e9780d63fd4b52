// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Says, as a list of sentences, what keeps somebody from using this page who reads it with
// a screen reader, with a keyboard, or with weak eyes. What Swagger UI draws is not ours.
(() => {
  const faults = [];
  const name = (e) => {
    const text = (e.textContent || "").trim().replace(/\s+/g, " ").slice(0, 30);
    return `<${e.localName}${e.id ? "#" + e.id : ""}${e.className && e.className.baseVal === undefined ? "." + e.className : ""}> ${JSON.stringify(text)}`;
  };
  const all = (selector) => [...document.querySelectorAll(selector)].filter((e) => !e.closest("#openapi"));
  const fault = (e, what) => faults.push(`${name(e)} ${what}`);

  for (const d of all("details")) d.open = true;

  // What the page is.
  if (!document.documentElement.lang) faults.push("the document has no language");
  if (!document.title.trim()) faults.push("the document has no title");
  if (all("main").length !== 1) faults.push(`the document has ${all("main").length} main parts`);
  let depth = 0;
  const headings = all("h1, h2, h3, h4, h5, h6");
  if (headings.filter((h) => h.localName === "h1").length !== 1) faults.push("the document has not one h1");
  for (const h of headings) {
    const level = Number(h.localName[1]);
    if (level > depth + 1) fault(h, `comes below a heading of level ${depth}`);
    if (!h.textContent.trim()) fault(h, "says nothing");
    depth = level;
  }

  // Ids, and what refers to them.
  const ids = new Set();
  for (const e of all("[id]")) {
    if (ids.has(e.id)) fault(e, "has an id that another element has");
    ids.add(e.id);
  }
  for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls"]) {
    for (const e of all(`[${attribute}]`)) {
      for (const id of e.getAttribute(attribute).split(/\s+/)) {
        if (!document.getElementById(id)) fault(e, `names ${id}, which is not there, as its ${attribute}`);
      }
    }
  }
  for (const l of all("label[for]")) if (!document.getElementById(l.htmlFor)) fault(l, "is the label of nothing");
  for (const a of all('a[href^="#"]')) if (a.hash.length > 1 && !document.getElementById(a.hash.slice(1))) fault(a, "leads to no part of the page");

  // What it is called.
  const referred = (e) => (e.getAttribute("aria-labelledby") || "").split(/\s+/).map((id) => document.getElementById(id)?.textContent || "").join(" ").trim();
  const called = (e) => referred(e) || (e.getAttribute("aria-label") || "").trim();
  for (const e of all("input:not([type=hidden]), select, textarea")) {
    const labels = [...(e.labels || [])].map((l) => l.textContent.trim()).join(" ");
    if (!called(e) && !labels) fault(e, `named ${e.name} has no label`);
  }
  for (const e of all("a[href], button, summary")) {
    const images = [...e.querySelectorAll("img[alt]")].map((i) => i.alt).join("");
    if (!called(e) && !(e.innerText || e.textContent).trim() && !images && !e.hidden) fault(e, "has no text");
  }
  for (const e of all("img")) if (!e.hasAttribute("alt")) fault(e, "is an image without a text in its place");
  for (const e of all("svg")) if (e.getAttribute("aria-hidden") !== "true" && !(e.getAttribute("role") === "img" && called(e))) fault(e, "is a picture without a text in its place");
  for (const e of all("th")) if (!e.scope) fault(e, "is a header without a scope");
  for (const e of all("table")) if (!e.querySelector("th")) fault(e, "has no headers");
  for (const e of all("nav")) if (!called(e)) fault(e, "is a navigation without a name");
  for (const e of all("iframe")) if (!e.title) fault(e, "is a frame without a title");
  for (const e of all("ul, ol")) for (const c of e.children) if (c.localName !== "li") fault(c, "stands in a list and is no item");
  for (const e of all("dl > *, dl > div > *")) if (!["dt", "dd", "div"].includes(e.localName)) fault(e, "stands in a list of facts and is none");

  // Colours: each text against what is behind it.
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const known = new Map();
  const parse = (colour) => {
    if (!known.has(colour)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, a / 255]);
    }
    return known.get(colour);
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), parse(getComputedStyle(document.documentElement).colorScheme.startsWith("dark") ? "#121212" : "#fff"));
  };
  const luminance = (c) => {
    const [r, g, b] = c.map((v) => { const s = v / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (colour, behind) => {
    const [a, b] = [luminance(over(colour, behind)), luminance(behind)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const legible = (e, colour, least, what) => {
    const found = contrast(parse(colour), ground(e));
    if (found < least) fault(e, `has ${what} with a contrast of ${found.toFixed(2)}, less than ${least}: ${colour} on ${ground(e).slice(0, 3).map(Math.round)}`);
  };
  let texts = 0;
  for (const e of all("body *")) {
    if (!e.checkVisibility() || e.closest(".unseen, svg, script, noscript")) continue;
    const style = getComputedStyle(e);
    if (Number(style.opacity) < 1) fault(e, "is translucent, which its contrast cannot be told of");
    const writes = [...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
    const field = e.matches("input:not([type=hidden], [type=checkbox], [type=radio]), select, textarea");
    if (writes || field) { texts++; legible(e, style.color, 4.5, "a text"); }
    if (e.placeholder) legible(e, getComputedStyle(e, "::placeholder").color, 4.5, "a placeholder");
  }
  if (texts === 0) faults.push("the page has no text that could be read");
  for (const e of all("svg[role=img] path")) legible(e.closest("svg"), getComputedStyle(e).fill, 3, `the bars ${e.getAttribute("class")}`);

  // The keyboard: whoever tests has pressed a key, and what gets the focus now shows it.
  let stops = 0;
  const at = document.activeElement;
  for (const e of all("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")) {
    if (e.tabIndex > 0) fault(e, "comes before its turn for who presses Tab");
    if (e.tabIndex < 0 || e.disabled || !e.checkVisibility()) continue;
    stops++;
    e.focus();
    const style = getComputedStyle(e);
    if (document.activeElement !== e) fault(e, "cannot have the focus");
    else if (!e.matches(":focus-visible") || style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) fault(e, `does not show that it has the focus: ${style.outline}`);
    else if (contrast(parse(style.outlineColor), ground(e.parentElement)) < 3) fault(e, "hardly shows that it has the focus");
  }
  if (stops === 0) faults.push("nothing on the page can have the focus");
  at?.focus();
  return faults;
})();
