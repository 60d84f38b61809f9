// make is an element with attributes and properties, and children, of which texts
// become text.
export function make(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in made) {
      made[key] = value;
    } else {
      made.setAttribute(key, value);
    }
  }
  made.append(...children.filter((c) => c !== undefined && c !== ""));
  return made;
}

export const byID = (id) => document.getElementById(id);

// renew has an element hold one child for each of a list, which show makes of it.
// Children that are made of the same as before stay.
export function renew(parent, list, show) {
  const old = parent.madeOf ?? new Map();
  const made = new Map();
  const children = list.map((item) => {
    const key = JSON.stringify(item);
    const child = (made.has(key) ? undefined : old.get(key)) ?? show(item);
    made.set(key, child);
    return child;
  });
  parent.madeOf = made;
  const wanted = new Set(children);
  for (const child of [...parent.children]) {
    if (!wanted.has(child)) {
      child.remove();
    }
  }
  children.forEach((child, i) => {
    if (parent.children[i] !== child) {
      parent.insertBefore(child, parent.children[i] ?? null);
    }
  });
}
