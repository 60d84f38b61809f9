// Package scenario holds the requests that the example servers must all answer
// alike, and plays them over real sockets.
package scenario

// Group is scenarios under one title.
type Group struct {
	Title     string
	Scenarios []Scenario
	// Outage says that the account service is down while they are played. It
	// stays down, so such groups come last.
	Outage bool
}

// Scenario is a request and the answer it must get, whatever the framework.
type Scenario struct {
	Name string
	// Method and Target are sent exactly as they stand.
	Method, Target string
	// As names the credentials, as [World] knows them; "" for none.
	As string
	// Preflight makes the request a CORS preflight.
	Preflight bool
	// Want is the status and the challenges, as [Answer.Verdict] writes them.
	Want string
	// Body is what the body must say, as [Answer.Body] writes it.
	Body string
}

// All are all scenarios, in the order they are played in.
func All() []Group {
	return []Group{
		{Title: "Gate one: who are you?", Scenarios: identity()},
		{Title: "Gate two: what may you do?", Scenarios: permission()},
		{Title: "Methods", Scenarios: methods()},
		{Title: "Spellings of a path, for a viewer", Scenarios: paths()},
		{Title: "The account service is down", Scenarios: outage(), Outage: true},
	}
}

// The verdicts, as [Answer.Verdict] writes them.
const (
	allowed           = "200"
	preflight         = "204"
	signIn            = "401 Bearer Basic"
	badToken          = "401 Bearer:token Basic"
	badPassword       = signIn // the Basic scheme has no error codes
	forbidden         = "403"
	missingScope      = "403 Bearer:scope"
	twoCredentials    = "400 Bearer:request"
	ambiguousPath     = "400"
	temporarilyFailed = "503 Retry-After"
)
