// One file in a text field, with numbers of lines, and marks beside and below it.
import { make } from "./dom.js";

const rank = { uncovered: -1, pass: 0, rule: 1, note: 2, warning: 3, error: 4, fail: 4 };

export class Editor {
  #numbers = make("pre");
  #dots = make("div");
  #marks = make("div", { className: "marks" });
  #lines = 0;

  // onInput is called for each change, onMove with the number of the line that the
  // caret has come to.
  constructor(name, { onInput, onMove }) {
    this.name = name;
    this.text = make("textarea", {
      ariaLabel: name, spellcheck: false, wrap: "off", autocapitalize: "off", autocomplete: "off", id: `text-${name}`,
    });
    this.text.setAttribute("autocorrect", "off");
    this.element = make(
      "div", { className: "editor", role: "tabpanel", id: `panel-${name}`, "aria-labelledby": `tab-${name}` },
      make("div", { className: "gutter", ariaHidden: "true" }, this.#numbers, this.#dots),
      make("div", { className: "pane" }, this.#marks, this.text),
    );
    this.#marks.ariaHidden = "true";
    this.text.addEventListener("input", () => {
      this.#number();
      onInput();
    });
    this.text.addEventListener("scroll", () => this.#scroll());
    for (const moves of ["keyup", "click", "focus", "input"]) {
      this.text.addEventListener(moves, () => onMove(this.line()));
    }
    this.#number();
  }

  get value() {
    return this.text.value;
  }

  set value(text) {
    this.text.value = text;
    this.text.setSelectionRange(0, 0);
    this.text.scrollTo(0, 0);
    this.#number();
    this.#scroll();
  }

  // line is the number of the line with the caret.
  line() {
    return this.text.value.slice(0, this.text.selectionStart).split("\n").length;
  }

  // go selects what stands at a place: from a character to the next comma, or else
  // the line.
  go(line, character) {
    const lines = this.text.value.split("\n");
    const before = lines.slice(0, line - 1).reduce((n, l) => n + l.length + 1, 0);
    const [from, to] = span(lines[line - 1] ?? "", character ?? 0);
    this.text.focus({ preventScroll: true });
    this.text.setSelectionRange(before + from, before + to);
    const height = this.#height();
    const y = (line - 1) * height;
    if (y < this.text.scrollTop || y > this.text.scrollTop + this.text.clientHeight - 2 * height) {
      this.text.scrollTop = y - this.text.clientHeight / 3;
    }
    this.text.scrollLeft = 0;
    this.element.scrollIntoView({ block: "nearest" });
  }

  // change makes edits of a language server, which lie apart, as somebody would who
  // types: they can be taken back.
  change(edits) {
    const lines = this.text.value.split("\n");
    const starts = [0];
    for (const line of lines) {
      starts.push(starts.at(-1) + line.length + 1);
    }
    const at = ({ line, character }) => Math.min(starts[line] + character, this.text.value.length);
    const places = edits.map((e) => [at(e.range.start), at(e.range.end), e.newText]).sort((a, b) => b[0] - a[0]);
    this.text.focus({ preventScroll: true });
    for (const [from, to, text] of places) {
      this.text.setSelectionRange(from, to);
      if (!document.execCommand(text === "" ? "delete" : "insertText", false, text)) {
        this.text.setRangeText(text, from, to, "end");
        this.text.dispatchEvent(new Event("input"));
      }
    }
  }

  // mark shows marks, each with line, kind, and character where it is about a part
  // of the line.
  mark(marks) {
    const lines = this.text.value.split("\n");
    const worst = new Map();
    const below = [];
    for (const { line, character, kind } of marks) {
      if ((rank[worst.get(line)] ?? -2) < rank[kind]) {
        worst.set(line, kind);
      }
      if (character !== undefined) {
        const [from, to] = span(lines[line - 1] ?? "", character);
        const mark = make("i", { className: kind });
        mark.style.setProperty("--line", line - 1);
        mark.style.setProperty("--from", columns(lines[line - 1] ?? "", from));
        mark.style.setProperty("--long", Math.max(1, columns(lines[line - 1] ?? "", to) - columns(lines[line - 1] ?? "", from)));
        below.push(mark);
      }
    }
    const dots = [];
    for (const [line, kind] of worst) {
      for (const list of [dots, below]) {
        const mark = make("b", { className: kind });
        mark.style.setProperty("--line", line - 1);
        list.push(mark);
      }
    }
    this.#marks.replaceChildren(...below);
    this.#dots.replaceChildren(...dots);
  }

  #height() {
    return parseFloat(getComputedStyle(this.text).lineHeight);
  }

  #number() {
    const lines = this.text.value.split("\n").length;
    if (lines !== this.#lines) {
      this.#lines = lines;
      this.#numbers.textContent = Array.from({ length: lines }, (_, i) => i + 1).join("\n");
    }
  }

  #scroll() {
    const { scrollTop, scrollLeft } = this.text;
    this.#marks.style.transform = `translate(${-scrollLeft}px, ${-scrollTop}px)`;
    this.#numbers.style.transform = this.#dots.style.transform = `translateY(${-scrollTop}px)`;
  }
}

// span is where what a finding is about begins and ends in a line.
function span(line, character) {
  const rest = line.slice(character);
  const end = rest.search(/\s*(,|$)/);
  return [character, character + (end > 0 ? end : rest.trimEnd().length)];
}

// columns is how many columns the first characters of a line take.
function columns(line, characters) {
  let n = 0;
  for (const c of line.slice(0, characters)) {
    n += c === "\t" ? 4 - (n % 4) : 1;
  }
  return n;
}
