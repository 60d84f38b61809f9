package core_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sallyport-go/sallyport/core"
)

// guarded is a scheme that asks for every protection.
type guarded struct{ *scheme }

func (g guarded) Scheme() core.Scheme {
	return core.Scheme{
		Name: g.name, Sender: core.SentByBrowser, Vary: []string{"cookie", "X-Device"},
		Attempt: func(core.Request) (string, bool) { return "alice", true },
		Inform:  func(core.Request, *core.Principal, error) []core.Field { return nil },
	}
}

// pinScheme is a scheme without settings of its own.
func pinScheme(t *testing.T) *scheme {
	s := newScheme(t, "Pin")
	s.vary = []string{}
	return s
}

// claiming is a scheme with the given settings.
type claiming struct {
	*scheme
	says core.Scheme
}

func (c claiming) Scheme() core.Scheme { return c.says }

func TestEverySchemeSaysWhatProtectsIt(t *testing.T) {
	whole := guarded{pinScheme(t)}.Scheme()
	for want, change := range map[string]func(*core.Scheme){
		"core.SentByBrowser":        func(s *core.Scheme) { s.Sender = 0 },
		"who sends its credentials": func(s *core.Scheme) { s.Sender = 3 },
		"core.Unguessable":          func(s *core.Scheme) { s.Attempt = nil },
		`Vary names ""`:             func(s *core.Scheme) { s.Vary = []string{"Cookie", ""} },
		`Vary names "A, B"`:         func(s *core.Scheme) { s.Vary = []string{"A, B"} },
		"not a token":               func(s *core.Scheme) { s.Name = "" },
	} {
		says := whole
		change(&says)
		if _, err := core.NewGuard([]core.Authenticator{claiming{pinScheme(t), says}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", says, err, want)
		}
	}
}

// Where a wrapper stores the wrapped value.
type (
	inField struct {
		claiming
		inner core.Authenticator
	}
	inPublic struct {
		claiming
		Inner core.Authenticator
	}
	inPointer struct {
		claiming
		state *struct{ inner core.Authenticator }
	}
	inSlice struct {
		claiming
		inner []core.Authenticator
	}
	inMap struct {
		claiming
		inner map[string]core.Authenticator
	}
	inType struct {
		claiming
		inner guarded
	}
	inUnwrap struct {
		claiming
		inner func() core.Authenticator
	}
	inGeneric[A core.Authenticator] struct {
		claiming
		inner A
	}
)

func (w inUnwrap) Unwrap() core.Authenticator { return w.inner() }

// TestNoWrapperTakesProtectionAway tries each protection that a wrapper may omit with each
// way to wrap.
func TestNoWrapperTakesProtectionAway(t *testing.T) {
	inner := guarded{pinScheme(t)}
	ways := map[string]func(claiming) core.Authenticator{
		"field":          func(c claiming) core.Authenticator { return inField{c, inner} },
		"pointer":        func(c claiming) core.Authenticator { return &inField{c, inner} },
		"exported field": func(c claiming) core.Authenticator { return inPublic{c, inner} },
		"state": func(c claiming) core.Authenticator {
			return inPointer{c, &struct{ inner core.Authenticator }{inner}}
		},
		"slice":   func(c claiming) core.Authenticator { return inSlice{c, []core.Authenticator{nil, inner}} },
		"map":     func(c claiming) core.Authenticator { return inMap{c, map[string]core.Authenticator{"": inner}} },
		"type":    func(c claiming) core.Authenticator { return inType{c, inner} },
		"generic": func(c claiming) core.Authenticator { return inGeneric[guarded]{c, inner} },
		"Unwrap":  func(c claiming) core.Authenticator { return inUnwrap{c, func() core.Authenticator { return inner }} },
		"wrapped": func(c claiming) core.Authenticator {
			return inField{c, inField{claiming{c.scheme, inner.Scheme()}, inner}}
		},
		"wrapping": func(c claiming) core.Authenticator { return struct{ core.Authenticator }{inField{c, inner}} },
	}
	lies := map[string]func(*core.Scheme){
		"browsers send":     func(s *core.Scheme) { s.Sender = core.SentByClient },
		"can be guessed":    func(s *core.Scheme) { s.Attempt = core.Unguessable },
		"has no Inform":     func(s *core.Scheme) { s.Inform = nil },
		"X-Device":          func(s *core.Scheme) { s.Vary = []string{"Cookie"} },
		"reads Cookie, and": func(s *core.Scheme) { s.Vary = nil },
		"":                  func(s *core.Scheme) { s.Name, s.Vary = "Other", append([]string{"X-More"}, s.Vary...) }, // no lie
	}
	for way, wrap := range ways {
		for want, lie := range lies {
			says := inner.Scheme()
			lie(&says)
			_, err := core.NewGuard([]core.Authenticator{newScheme(t, "First"), wrap(claiming{inner.scheme, says})})
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: error %v, want %q", way, err, want)
			}
		}
	}
}

// A wrapper whose own Attempt finds no account does not hide a guess either.
func TestAttemptsOfTheWrappedSchemeCount(t *testing.T) {
	blind := guarded{pinScheme(t)}.Scheme()
	blind.Attempt = func(core.Request) (string, bool) { return "", false }
	l := &limiter{}
	g, _ := newGuard(t, []core.Authenticator{inField{claiming{pinScheme(t), blind}, guarded{pinScheme(t)}}}, core.WithAttemptLimiter(l))
	mounted(t)(g.Authenticate()).Check(t.Context(), get("/"))
	if want := []string{"alice"}; !slices.Equal(l.asked, want) {
		t.Errorf("asked for %q", l.asked)
	}
}

// itself unwraps to itself.
type itself struct{ *scheme }

func (s itself) Unwrap() core.Authenticator { return s }

func TestASchemeThatWrapsItselfIsAnError(t *testing.T) {
	if _, err := core.NewGuard([]core.Authenticator{itself{newScheme(t, "Loop")}}); err == nil || !strings.Contains(err.Error(), "wraps itself") {
		t.Errorf("error %v", err)
	}
}

// A scheme's settings are read while a guard is assembled, never again.
func TestSchemesAreAskedOnce(t *testing.T) {
	s := &counting{scheme: newScheme(t, "Bearer")}
	g, _ := newGuard(t, []core.Authenticator{s})
	asked := s.asked
	gate := mounted(t)(g.Authenticate())
	for range 3 {
		gate.Check(t.Context(), get("/", "Authorization: Bearer alice"))
	}
	if s.asked != asked || asked != 1 {
		t.Errorf("asked %d times at assembly, then %d", asked, s.asked-asked)
	}
}

type counting struct {
	*scheme
	asked int
}

func (c *counting) Scheme() core.Scheme {
	c.asked++
	return c.scheme.Scheme()
}
