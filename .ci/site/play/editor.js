// One file in a text field, with numbers of lines, and marks beside and below it.
// Numbers and marks are drawn for the lines that can be seen alone, so that a long
// file costs a keystroke no more than a short one.
import { make } from "./dom.js";

const rank = { uncovered: -1, pass: 0, rule: 1, note: 2, warning: 3, error: 4, fail: 4 };

// beyond is how many lines above and below those that can be seen are drawn, too.
const beyond = 30;

export class Editor {
  #numbers = make("pre");
  #dots = make("div");
  #marks = make("div", { className: "marks" });
  #lines = [""];
  #marked = new Map(); // by line, from 1: the marks of the line
  #height = 0; // of what can be seen, in pixels, as of one line
  #lineHeight = 1;
  #top = 0; // where it is scrolled to
  #left = 0;
  #drawn = {}; // what numbers and marks were drawn from

  // onInput is called for each change, onMove with the number of the line that the
  // caret has come to.
  constructor(name, { onInput, onMove }) {
    this.name = name;
    this.id = name.replaceAll(" ", "/"); // as ids have no blanks, and names no slashes
    this.text = make("textarea", {
      ariaLabel: name, spellcheck: false, wrap: "off", autocapitalize: "off", autocomplete: "off", id: `text-${this.id}`,
    });
    this.text.setAttribute("autocorrect", "off");
    this.element = make(
      "div", { className: "editor", role: "tabpanel", id: `panel-${this.id}`, "aria-labelledby": `tab-${this.id}` },
      make("div", { className: "gutter", ariaHidden: "true" }, this.#numbers, this.#dots),
      make("div", { className: "pane" }, this.#marks, this.text),
    );
    this.#marks.ariaHidden = "true";
    this.text.addEventListener("input", () => {
      this.#changed();
      onInput();
    });
    // What the browser measures is kept: to ask for it after a change makes it lay
    // out the page at once.
    this.text.addEventListener("scroll", () => {
      this.#top = this.text.scrollTop;
      this.#left = this.text.scrollLeft;
      this.#draw();
    });
    new ResizeObserver(() => {
      this.#height = this.text.clientHeight;
      this.#lineHeight = parseFloat(getComputedStyle(this.text).lineHeight);
      this.#draw();
    }).observe(this.text);
    for (const moves of ["keyup", "click", "focus", "input"]) {
      this.text.addEventListener(moves, () => onMove(this.line()));
    }
    this.#draw();
  }

  get value() {
    return this.text.value;
  }

  set value(text) {
    this.text.value = text;
    this.text.setSelectionRange(0, 0);
    this.text.scrollTo(0, 0);
    this.#top = this.#left = 0;
    this.#changed();
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
    // A file that was not shown until now is not measured yet.
    const lineHeight = parseFloat(getComputedStyle(this.text).lineHeight);
    const y = (line - 1) * lineHeight;
    if (y < this.text.scrollTop || y > this.text.scrollTop + this.text.clientHeight - 2 * lineHeight) {
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
    this.#marked = Map.groupBy(marks, (m) => m.line);
    this.#draw();
  }

  #changed() {
    this.#lines = this.text.value.split("\n");
    this.#draw();
  }

  // #draw draws the numbers and marks of the lines that can be seen, and those near
  // them, unless that is what is there.
  #draw() {
    this.#marks.style.transform = `translate(${-this.#left}px, ${-this.#top}px)`;
    this.#numbers.style.transform = this.#dots.style.transform = `translateY(${-this.#top}px)`;
    if (this.#height === 0) {
      return; // it is hidden, or not there yet
    }
    // From one multiple of beyond to another, so that a step down draws nothing.
    const whole = (line) => Math.floor(line / beyond) * beyond;
    const from = Math.max(0, whole(this.#top / this.#lineHeight) - beyond);
    const to = Math.min(this.#lines.length, whole((this.#top + this.#height) / this.#lineHeight) + 2 * beyond);
    this.#number(from, to);
    const beside = [], below = [];
    for (let line = from + 1; line <= to; line++) {
      const marks = this.#marked.get(line) ?? [];
      for (const { character, kind } of marks) {
        if (character !== undefined) {
          below.push(["i", kind, line - 1, ...this.#columns(line, character)]);
        }
      }
      if (marks.length > 0) {
        const { kind } = marks.reduce((worst, m) => (rank[m.kind] > rank[worst.kind] ? m : worst));
        beside.push(["b", kind, line - 1]);
        below.push(["b", kind, line - 1]);
      }
    }
    for (const [name, element, list] of [["beside", this.#dots, beside], ["below", this.#marks, below]]) {
      if (this.#news(name, list.join())) {
        element.replaceChildren(...list.map((mark) => shown(...mark)));
      }
    }
  }

  #number(from, to) {
    if (this.#news("numbers", `${from} ${to}`)) {
      this.#numbers.textContent = Array.from({ length: to - from }, (_, i) => from + i + 1).join("\n");
      this.#numbers.style.setProperty("--line", from);
    }
    const digits = String(this.#lines.length).length;
    if (this.#news("digits", digits)) {
      this.#numbers.style.setProperty("--digits", digits);
    }
  }

  // #news reports whether something of this name is to be drawn from another value
  // than last time.
  #news(name, value) {
    const isNew = this.#drawn[name] !== value;
    this.#drawn[name] = value;
    return isNew;
  }

  // #columns is where what a mark is about begins, and how many columns it takes.
  #columns(line, character) {
    const text = this.#lines[line - 1];
    const [from, to] = span(text, character).map((n) => columns(text, n));
    return [from, Math.max(1, to - from)];
  }
}

function shown(name, kind, line, from, long) {
  const mark = make(name, { className: kind });
  mark.style.setProperty("--line", line);
  if (from !== undefined) {
    mark.style.setProperty("--from", from);
    mark.style.setProperty("--long", long);
  }
  return mark;
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
