// Package scenario holds the requests that the example servers must all answer
// alike, and plays them over real sockets.
package scenario

import "context"

// Group is scenarios under one title.
type Group struct {
	Title     string
	Scenarios []Scenario
	// Begin brings about what the title says before the scenarios are played;
	// nil for nothing. What it did stays, so the order of groups counts.
	Begin func(ctx context.Context, w *World, servers []Server) error
}

// Scenario is a request and the answer it must get, whatever the framework.
type Scenario struct {
	Name string
	// Method and Target are sent exactly as they stand.
	Method, Target string
	// As names the credentials, as [World] knows them; "" for none.
	As string
	// Fields are further header fields, as "Name: value".
	Fields []string
	// Want is the status and the challenges, as [Answer.Verdict] writes them.
	Want string
	// Body is what the body must say, as [Answer.Body] writes it.
	Body string
}

// All are all scenarios, in the order they are played in.
func All() []Group {
	return []Group{
		{Title: "The key server is down from the start", Scenarios: withoutKeys()},
		{Title: "Gate one: who are you?", Scenarios: identity(), Begin: publishKeys},
		{Title: "Tokens", Scenarios: tokens()},
		{Title: "Passwords by Digest", Scenarios: digests()},
		{Title: "API keys", Scenarios: apiKeys()},
		{Title: "More than one kind of credentials", Scenarios: several()},
		{Title: "Browsers", Scenarios: browsers()},
		{Title: "Gate two: what may you do?", Scenarios: permission()},
		{Title: "Methods", Scenarios: methods()},
		{Title: "Spellings of a path, for a viewer", Scenarios: paths()},
		{Title: "After 20 wrong guesses at a key", Scenarios: guessing(), Begin: guess},
		{Title: "The issuer is down: keys and introspection", Scenarios: issuerOutage(), Begin: stopIssuer},
		{Title: "The account service is down", Scenarios: accountOutage(), Begin: stopAccounts},
	}
}

// The verdicts, as [Answer.Verdict] writes them.
const (
	allowed           = "200"
	preflight         = "204"
	signIn            = "401 Bearer Digest Basic ApiKey"
	badToken          = "401 Bearer:token Digest Basic ApiKey"
	badPassword       = signIn // other schemes than Bearer have no error codes
	badKey            = signIn
	staleNonce        = "401 Bearer Digest:stale Basic ApiKey"
	withoutPrompt     = "401 Bearer xDigest xBasic ApiKey"
	forbidden         = "403"
	missingScope      = "403 Bearer:scope"
	ambiguous         = "400 Bearer:request"
	ambiguousPath     = "400"
	tooManyGuesses    = "429 Retry-After"
	temporarilyFailed = "503 Retry-After"
)
