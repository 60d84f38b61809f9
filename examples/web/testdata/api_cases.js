// What the wrapper in static/api.js does, call by call. It runs in a page of the
// site, with answers in place of the network, and gives one line for each case
// that went wrong.
async (module) => {
  const { newAPI, APIError } = await import(module);
  const answer = (status, fields = {}, body = "") =>
    new Response(status === 204 ? null : body, { status, headers: fields });
  const problem = (status, error, fields = {}) =>
    answer(status, { "Content-Type": "application/problem+json", ...fields }, JSON.stringify({ detail: "why", error }));
  const soon = { "Retry-After": "0" };
  const past = { "Retry-After": new Date(0).toUTCString() };
  const post = { method: "POST", body: "text" };

  // answers are given in order; signIns are what the sign-in resolves to; want is
  // the status of the answer or the error, and how many calls and sign-ins there were.
  const cases = [
    { name: "2xx", answers: [answer(204)], want: [204, 1, 0] },
    { name: "401, signed in, repeated", answers: [problem(401), answer(200)], signIns: [true], want: [200, 2, 1] },
    { name: "401 twice", answers: [problem(401), problem(401), answer(200)], signIns: [true], want: [401, 2, 1] },
    { name: "401, dialog closed", answers: [problem(401)], signIns: [false], want: [401, 1, 1] },
    { name: "401 of a POST", init: post, answers: [problem(401), answer(200)], signIns: [true], want: [200, 2, 1] },
    { name: "401 for a stronger sign-in", answers: [problem(401, "insufficient_user_authentication"), answer(200)], signIns: [true], want: [200, 2, 1] },
    { name: "403", answers: [problem(403, "forbidden")], want: [403, 1, 0, "forbidden"] },
    { name: "403 for a scope", answers: [problem(403, "insufficient_scope")], want: [403, 1, 0, "insufficient_scope"] },
    { name: "403 after a 401", answers: [problem(401), problem(403)], signIns: [true], want: [403, 2, 1] },
    { name: "503 with Retry-After", answers: [problem(503, "", soon), answer(200)], want: [200, 2, 0] },
    { name: "503 with a date", answers: [problem(503, "", past), answer(200)], want: [200, 2, 0] },
    { name: "503 for good", answers: [1, 2, 3, 4, 5].map(() => problem(503, "", soon)), want: [503, 4, 0] },
    { name: "503 for an hour", answers: [problem(503, "", { "Retry-After": "3600" })], want: [503, 1, 0] },
    { name: "503 of a POST", init: post, answers: [problem(503, "", soon)], want: [503, 1, 0] },
    { name: "429 of a POST", init: post, answers: [problem(429, "", soon), answer(200)], want: [200, 2, 0] },
    { name: "503, then 401", answers: [problem(503, "", soon), problem(401), answer(200)], signIns: [true], want: [200, 3, 1] },
    { name: "500", answers: [answer(500, { "Content-Type": "text/html" }, "<h1>")], want: [500, 1, 0, ""] },
    { name: "404 with broken JSON", answers: [answer(404, { "Content-Type": "application/json" }, "{")], want: [404, 1, 0, ""] },
  ];
  const wrong = [];
  const network = globalThis.fetch;
  try {
    for (const c of cases) {
      let calls = 0;
      let dialogs = 0;
      globalThis.fetch = async () => c.answers[calls++];
      const api = newAPI({ signIn: async () => c.signIns[dialogs++] });
      const got = await api("/", c.init).then(
        (response) => [response.status, calls, dialogs],
        (e) => (e instanceof APIError ? [e.status, calls, dialogs, e.code] : [String(e)]));
      if (!c.want.every((v, i) => v === got[i])) {
        wrong.push(`${c.name}: ${JSON.stringify(got)}, want ${JSON.stringify(c.want)}`);
      }
    }

    // Three calls at once, one of which is answered after the sign-in, or after
    // the user has declined.
    for (const done of [true, false]) {
      let release;
      const late = new Promise((resolve) => (release = resolve));
      const seen = {};
      let dialogs = 0;
      globalThis.fetch = async (path) => {
        seen[path] = (seen[path] ?? 0) + 1;
        if (path === "/late") {
          await late;
        }
        return seen[path] > 1 ? answer(200) : problem(401);
      };
      const api = newAPI({ signIn: async () => (dialogs++, done) });
      const calls = ["/a", "/b", "/late"].map((path) => api(path).then((r) => r.status, (e) => e.status));
      const got = await Promise.all(calls.slice(0, 2));
      release();
      got.push(await calls[2], dialogs, ...Object.values(seen));
      const want = done ? "200,200,200,1,2,2,2" : "401,401,401,1,1,1,1";
      if (got.join() !== want) {
        wrong.push(`three calls, signed in ${done}: ${got}, want ${want}`);
      }
    }

    // A caller that gives up while the wrapper waits.
    const leaving = new AbortController();
    globalThis.fetch = async () => problem(503, "", { "Retry-After": "30" });
    const patient = newAPI({ signIn: null, onWait: () => setTimeout(() => leaving.abort()) });
    const end = await patient("/", { signal: leaving.signal }).catch((e) => e.name);
    if (end !== "AbortError") {
      wrong.push(`given up: ${end}`);
    }
  } finally {
    globalThis.fetch = network;
  }
  return wrong;
}
