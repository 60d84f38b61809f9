// Calls of an API that answers with 401, 403, 429 and 503 as Sallyport does.
// What each of them asks of a page is done here, once for all callers.

/** A call that has failed for good, with the problem details of the answer. */
export class APIError extends Error {
  constructor(response, problem) {
    super(problem.detail ?? response.statusText);
    this.name = "APIError";
    this.status = response.status;
    this.code = problem.error ?? "";
  }
}

const tries = 4; // of one call, while the answer is "not now"
const patience = 60; // seconds that a page may wait without being asked
const repeatable = new Set(["GET", "HEAD", "PUT", "DELETE"]); // RFC 9110 §9.2.2

/**
 * Makes a function like fetch that returns answers with a status of 2xx alone
 * and throws an APIError for others.
 *
 * signIn shows the sign-in and resolves to true once the same user as before
 * has signed in, or to false. onWait is told how many seconds a call waits.
 */
export function newAPI({ signIn, onWait = () => {} }) {
  let asked = 0; // how often the user has been asked to sign in
  let signedIn = false; // what came of it the last time
  let signingIn = null; // what all calls wait for meanwhile

  function signInOnce() {
    signingIn ??= signIn().then((done) => {
      asked++;
      signedIn = done;
      signingIn = null;
      return done;
    });
    return signingIn;
  }

  return async function call(path, init = {}) {
    const method = (init.method ?? "GET").toUpperCase();
    const request = { ...init, method, headers: { Accept: "application/json", ...init.headers } };
    for (let attempt = 1, repeated = false; ; ) {
      const before = asked;
      const response = await fetch(path, request);
      if (response.ok) {
        return response;
      }
      if (response.status === 401 && !repeated) {
        repeated = true;
        // The user may have been asked since this call was sent.
        if (asked === before ? await signInOnce() : signedIn) {
          continue;
        }
      } else if (notNow(response, method) && attempt < tries) {
        const seconds = delay(response, attempt++);
        if (seconds <= patience) {
          onWait(seconds);
          await pause(seconds, init.signal);
          continue;
        }
      }
      throw new APIError(response, await problem(response)); // 403 comes straight here
    }
  };
}

// A 429 was not carried out. Of a 503 nobody knows, so only what may be done
// twice is repeated.
function notNow(response, method) {
  return response.status === 429 || (response.status === 503 && repeatable.has(method));
}

// Seconds to wait: what Retry-After says (RFC 9110 §10.2.3), or else twice as
// long each time, and some more, so that not all pages come back at once.
function delay(response, attempt) {
  const field = response.headers.get("Retry-After") ?? "";
  const asked = /^\d+$/.test(field) ? Number(field) : (Date.parse(field) - Date.now()) / 1000;
  const seconds = Number.isNaN(asked) ? 2 ** attempt : Math.max(asked, 0);
  return seconds + Math.random() * Math.min(1, 0.1 + seconds / 4);
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

async function problem(response) {
  const type = response.headers.get("Content-Type") ?? "";
  if (!/^application\/(problem\+)?json\b/.test(type)) {
    return {};
  }
  return response.json().catch(() => ({}));
}
