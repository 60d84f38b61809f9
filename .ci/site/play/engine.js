// The engine as the page sees it.

// patience is how long an answer may take, in milliseconds, before the engine is
// started again.
const patience = 30_000;

export class Engine {
  #worker;
  #latest = 0;
  #timer;
  #texts = {}; // of the answers shown, by their calls

  // onPresets gets the presets; onAnswer call, answer, how many milliseconds it took
  // and whether it is that of last time, for the newest question alone. onDone says
  // that this has all answers, and onFailure gets a text.
  constructor({ onPresets, onAnswer, onDone, onFailure }) {
    Object.assign(this, { onPresets, onAnswer, onDone, onFailure });
    this.#start();
  }

  #start() {
    this.#worker = new Worker(new URL("worker.js", import.meta.url));
    this.#worker.onmessage = ({ data }) => this.#take(data);
    this.#worker.onerror = (e) => this.#fail(e.message ?? "it could not be started");
  }

  #take({ presets, failed, id, call, text, took, done }) {
    if (failed) {
      this.#fail(failed);
    } else if (presets) {
      this.onPresets(presets);
    } else if (id === this.#latest) {
      if (done) {
        clearTimeout(this.#timer);
        this.onDone();
      } else {
        const same = this.#texts[call] === text;
        this.#texts[call] = text;
        this.onAnswer(call, JSON.parse(text), took, same);
      }
    }
  }

  // forget has the next answers count as new.
  forget() {
    this.#texts = {};
  }

  // ask puts a question, upon which answers to older ones are dropped.
  ask(calls, input) {
    if (!this.#worker) {
      this.#start();
    }
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail(`no answer in ${patience / 1000} seconds`), patience);
    this.#latest++;
    this.#worker.postMessage({ id: this.#latest, calls, input: JSON.stringify(input) });
  }

  // #fail ends the worker; the next question starts another one.
  #fail(why) {
    clearTimeout(this.#timer);
    this.#worker?.terminate();
    this.#worker = undefined;
    this.onFailure(why);
  }
}
