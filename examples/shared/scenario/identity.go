package scenario

// list is the target of requests whose credentials are the point.
const list = "/reports"

// get is a scenario whose credentials are the point, and are in its name.
func get(target, as, want, body string) Scenario {
	return Scenario{Name: as, Method: "GET", Target: target, As: as, Want: want, Body: body}
}

func withoutKeys() []Scenario {
	return []Scenario{
		{Name: "good token", Method: "GET", Target: list, As: "victor", Want: temporarilyFailed, Body: "temporarily_unavailable"},
		{Name: "token with a bad signature", Method: "GET", Target: list, As: "bad signature", Want: temporarilyFailed, Body: "temporarily_unavailable"},
		{Name: "optional: good token", Method: "GET", Target: "/whoami", As: "victor", Want: temporarilyFailed, Body: "temporarily_unavailable"},
		{Name: "malformed token", Method: "GET", Target: list, As: "malformed token", Want: badToken, Body: "invalid_token"},
		{Name: "no credentials", Method: "GET", Target: list, Want: signIn, Body: "authentication_required"},
		{Name: "good password", Method: "GET", Target: list, As: "victor by password", Want: allowed, Body: "/reports victor [viewer]"},
	}
}

func identity() []Scenario {
	return []Scenario{
		{Name: "no credentials", Method: "GET", Target: list, Want: signIn, Body: "authentication_required"},
		{Name: "wrong scheme", Method: "GET", Target: list, As: "wrong scheme", Want: signIn, Body: "authentication_required"},
		{Name: "malformed token", Method: "GET", Target: list, As: "malformed token", Want: badToken, Body: "invalid_token"},
		{Name: "Bearer without a token", Method: "GET", Target: list, As: "no token", Want: badToken, Body: "invalid_token"},
		{Name: "expired token", Method: "GET", Target: list, As: "expired token", Want: badToken, Body: "invalid_token"},
		{Name: "wrong password", Method: "GET", Target: list, As: "wrong password", Want: badPassword, Body: "invalid_credentials"},
		{Name: "unknown user", Method: "GET", Target: list, As: "unknown user", Want: badPassword, Body: "invalid_credentials"},
		{Name: "good token", Method: "GET", Target: "/me", As: "victor", Want: allowed, Body: "/me victor [viewer]"},
		{Name: "good password", Method: "GET", Target: "/me", As: "victor by password", Want: allowed, Body: "/me victor [viewer]"},
		{Name: "optional: no credentials", Method: "GET", Target: "/whoami", Want: allowed, Body: "/whoami anonymous []"},
		{Name: "optional: wrong scheme", Method: "GET", Target: "/whoami", As: "wrong scheme", Want: allowed, Body: "/whoami anonymous []"},
		{Name: "optional: good token", Method: "GET", Target: "/whoami", As: "erin", Want: allowed, Body: "/whoami erin [editor]"},
		{Name: "optional: expired token", Method: "GET", Target: "/whoami", As: "expired token", Want: badToken, Body: "invalid_token"},
		{Name: "public: expired token", Method: "GET", Target: "/healthz", As: "expired token", Want: allowed, Body: "/healthz anonymous []"},
	}
}

// tokens are attacks on JWTs, and tokens that only their issuer can read.
func tokens() []Scenario {
	return []Scenario{
		get(list, "bad signature", badToken, "invalid_token"),
		get(list, "alg none", badToken, "invalid_token"),
		get(list, "public key as secret", badToken, "invalid_token"),
		get(list, "key in the token", badToken, "invalid_token"),
		get(list, "key that is not published", badToken, "invalid_token"),
		get(list, "other issuer", badToken, "invalid_token"),
		get(list, "other audience", badToken, "invalid_token"),
		get(list, "roles that are no list", badToken, "invalid_token"),
		get("/scoped", "erin's opaque token", allowed, "/scoped erin [editor]"),
		get("/scoped", "victor's opaque token", missingScope, "insufficient_scope"),
		get(list, "inactive opaque token", badToken, "invalid_token"),
		get(list, "unknown opaque token", badToken, "invalid_token"),
	}
}

func digests() []Scenario {
	return []Scenario{
		get("/me", "erin by digest", allowed, "/me erin [editor]"),
		{Name: "with a query", Method: "GET", Target: "/me?page=1&q=%22", As: "erin by digest", Want: allowed, Body: "/me erin [editor]"},
		get("/admin/reports", "erin by digest", forbidden, "forbidden"),
		get("/me", "third answer to a nonce", allowed, "/me erin [editor]"),
		get("/me", "answers out of order", allowed, "/me erin [editor]"),
		get("/me", "replayed answer", badPassword, "invalid_credentials"),
		get("/me", "stale nonce, counted far too low", staleNonce, "invalid_credentials"),
		get("/me", "nonce that the server never sent", badPassword, "invalid_credentials"),
		get("/me", "answer for another method", badPassword, "invalid_credentials"),
		get("/me", "answer for another path", ambiguous, "invalid_request"),
		get("/me", "wrong digest password", badPassword, "invalid_credentials"),
		get("/me", "unknown digest user", badPassword, "invalid_credentials"),
	}
}

func apiKeys() []Scenario {
	return []Scenario{
		get("/me", "erin's key", allowed, "/me erin [editor]"),
		get("/scoped", "a build job's key", allowed, "/scoped ci-bot [viewer]"),
		{Name: "a build job's key, DELETE", Method: "DELETE", Target: "/reports/7", As: "a build job's key", Want: forbidden, Body: "forbidden"},
		get("/me", "key with another secret", badKey, "invalid_credentials"),
		get("/me", "unknown key", badKey, "invalid_credentials"),
		get("/me", "revoked key", badKey, "invalid_credentials"),
		get("/me", "expired key", badKey, "invalid_credentials"),
		get("/me", "no key at all", badKey, "invalid_credentials"),
		get("/me", "two keys", ambiguous, "invalid_request"),
	}
}

// several are requests that carry two kinds of credentials: bad ones are not
// passed over for good ones behind them.
func several() []Scenario {
	return []Scenario{
		{Name: "two Authorization lines", Method: "GET", Target: list, As: "two lines", Want: ambiguous, Body: "invalid_request"},
		{Name: "optional: two Authorization lines", Method: "GET", Target: "/whoami", As: "two lines", Want: ambiguous, Body: "invalid_request"},
		get("/me", "bad token and good key", badToken, "invalid_token"),
		get("/me", "wrong password and good key", badPassword, "invalid_credentials"),
		get("/me", "good token and key of another", allowed, "/me victor [viewer]"),
	}
}

// browsers are requests as browsers send them for a page of another site, and
// for a script.
func browsers() []Scenario {
	post := func(name, as, field, want, body string) Scenario {
		return Scenario{Name: name, Method: "POST", Target: "/notes", As: as, Fields: []string{field}, Want: want, Body: body}
	}
	const saved = "/notes victor [viewer]"
	return []Scenario{
		post("password, page of another site", "victor by password", "Sec-Fetch-Site: cross-site", forbidden, "cross_site_request"),
		post("password, page of a sibling site", "victor by password", "Sec-Fetch-Site: same-site", forbidden, "cross_site_request"),
		post("password, another origin", "victor by password", "Origin: https://evil.example", forbidden, "cross_site_request"),
		post("password, origin null", "victor by password", "Origin: null", forbidden, "cross_site_request"),
		post("digest, page of another site", "erin by digest", "Sec-Fetch-Site: cross-site", forbidden, "cross_site_request"),
		post("password, own page", "victor by password", "Sec-Fetch-Site: same-origin", allowed, saved),
		post("token, page of another site", "victor", "Sec-Fetch-Site: cross-site", allowed, saved),
		{Name: "password, reading from another site", Method: "GET", Target: "/me", As: "victor by password", Fields: []string{"Sec-Fetch-Site: cross-site"}, Want: allowed, Body: "/me victor [viewer]"},
		{Name: "page without credentials", Method: "GET", Target: list, Fields: []string{"Sec-Fetch-Mode: navigate"}, Want: signIn, Body: "authentication_required"},
		{Name: "script without credentials", Method: "GET", Target: list, Fields: []string{"Sec-Fetch-Mode: cors"}, Want: withoutPrompt, Body: "authentication_required"},
	}
}

// guessing is played after as many guesses at a key as may fail.
func guessing() []Scenario {
	return []Scenario{
		{Name: "one more guess", Method: "GET", Target: "/me", As: "guess at a key", Want: tooManyGuesses, Body: "too_many_attempts"},
		{Name: "another key", Method: "GET", Target: "/me", As: "erin's key", Want: allowed, Body: "/me erin [editor]"},
		{Name: "token", Method: "GET", Target: "/me", As: "victor", Want: allowed, Body: "/me victor [viewer]"},
		{Name: "no credentials", Method: "GET", Target: "/me", Want: signIn, Body: "authentication_required"},
	}
}

func issuerOutage() []Scenario {
	return []Scenario{
		{Name: "good token, by the keys from before", Method: "GET", Target: "/me", As: "erin", Want: allowed, Body: "/me erin [editor]"},
		{Name: "token with a bad signature", Method: "GET", Target: "/me", As: "bad signature", Want: badToken, Body: "invalid_token"},
		{Name: "opaque token", Method: "GET", Target: "/me", As: "opaque token not seen before", Want: temporarilyFailed, Body: "temporarily_unavailable"},
		{Name: "optional: opaque token", Method: "GET", Target: "/whoami", As: "opaque token not seen before", Want: temporarilyFailed, Body: "temporarily_unavailable"},
		{Name: "good password", Method: "GET", Target: "/me", As: "victor by password", Want: allowed, Body: "/me victor [viewer]"},
		{Name: "no credentials", Method: "GET", Target: "/me", Want: signIn, Body: "authentication_required"},
	}
}
