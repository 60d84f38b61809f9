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
