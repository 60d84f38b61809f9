// The engine, beside the page, so that typing never waits for it. It answers what
// was asked last: of questions that came meanwhile only the newest is looked at.
importScripts("wasm_exec.js");

// pause is how long, in milliseconds, nothing new is asked before the slower calls of
// a question are answered, so that these do not keep somebody who types waiting.
const pause = 150;

let waiting; // the newest question, until it is looked at
let newer = () => {}; // ends a pause
let busy = false;

const ready = (async () => {
  const answer = await fetch("engine.wasm.gz");
  if (!answer.ok) {
    throw new Error(`engine.wasm.gz: status ${answer.status}`);
  }
  let code = await answer.arrayBuffer();
  if (new Uint8Array(code, 0, 2).join() === "31,139") {
    // Compressed; some servers say so, and browsers have decompressed it then.
    code = await new Response(new Blob([code]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  }
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(code, go.importObject);
  await new Promise((resolve, reject) => {
    self.sallyportReady = resolve;
    go.run(instance).then(() => {
      const ended = new Error("the engine has ended");
      reject(ended);
      postMessage({ failed: ended.message });
    }, reject);
  });
  postMessage({ presets: JSON.parse(self.sallyportAnswer("presets", "")) });
})();

ready.catch((e) => postMessage({ failed: e.message }));

onmessage = async ({ data }) => {
  waiting = data;
  newer();
  if (busy) {
    return;
  }
  busy = true;
  try {
    await ready;
    while (waiting) {
      await answer(waiting);
    }
  } catch (e) {
    postMessage({ failed: e.message });
  }
  busy = false;
};

async function answer(question) {
  waiting = undefined;
  for (const call of question.calls) {
    const begun = performance.now();
    const text = self.sallyportAnswer(call, question.input);
    postMessage({ id: question.id, call, text, took: performance.now() - begun });
    if (call !== question.calls.at(-1)) {
      await new Promise((resolve) => {
        newer = resolve;
        setTimeout(resolve, call === question.calls[0] ? pause : 0);
      });
    }
    if (waiting) {
      return;
    }
  }
  postMessage({ id: question.id, done: true });
}
