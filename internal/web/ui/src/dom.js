// element makes an element: properties, attributes where the name has a hyphen, children.
export function element(kind, properties = {}, ...children) {
  const e = document.createElement(kind);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") e.setAttribute(name, value);
    else e[name] = value;
  }
  e.append(...children);
  return e;
}

// pane is a titled part of the page.
export function pane(kind, title, ...extra) {
  const body = element("div", { className: "body" });
  const note = element("span", { className: "note" });
  const heading = element("h2", { textContent: title });
  const root = element("section", { className: `pane ${kind}`, "aria-label": title },
    element("header", {}, heading, ...extra, note), body);
  return { root, body, note, heading };
}
