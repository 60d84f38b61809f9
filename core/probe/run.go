package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/internal/pause"
)

// stage plans requests, based on the answers so far.
type stage func(*state) []Request

// stages are the stages of a run, in order. Bursts are last, because they may exhaust a
// rate limit.
var stages = []struct {
	name string
	plan stage
}{
	{"whether it answers", reachStage},
	{"routes", plainStage},
	{"again, past caches", cacheStage},
	{"bad credentials", badStage},
	{"as a browser", browserStage},
	{"spellings and methods", variantStage},
	{"other origins", originStage},
	{"crawlers", crawlerStage},
	{"pages", pageStage},
	{"links", linkStage},
	{"what links load", linkStage},
	{"accounts", accountStage},
	{"bursts", burstStage},
}

// Progress is called with the progress of a run: the stage, and how many of its
// requests were sent.
type Progress func(stage string, done, of int)

// Plan returns all requests that [Run] might send, as if every route were refused, except
// for links, which are not known yet.
func Plan(s Settings) ([]Request, error) {
	st, err := newState(s)
	if err != nil {
		return nil, err
	}
	st.planOnly = true
	var all []Request
	for _, one := range stages {
		all = append(all, st.withDirect(one.plan(st))...)
	}
	return all, nil
}

// Run sends requests to a service and evaluates its responses. It returns an error
// if the service does not respond, or ctx ends. progress may be nil.
func Run(ctx context.Context, s Settings, sender Sender, progress Progress) (*Report, error) {
	st, err := newState(s)
	if err != nil {
		return nil, err
	}
	for _, one := range stages {
		requests := st.withDirect(one.plan(st))
		for i, r := range requests {
			if progress != nil {
				progress(one.name, i, len(requests))
			}
			if st.limitReached(r) {
				continue
			}
			r = st.withFormFields(r)
			a := st.send(ctx, sender, r)
			if ctx.Err() != nil {
				return nil, fmt.Errorf("probe: %w", ctx.Err())
			}
			st.log = append(st.log, Exchange{r, a})
		}
		if err := st.checkReached(); err != nil {
			return nil, err
		}
	}
	return evaluate(st.Settings, st.log), nil
}

// checkReached returns an error if no request was answered.
func (st *state) checkReached() error {
	for _, x := range st.log {
		if x.Err == nil {
			return nil
		}
	}
	return fmt.Errorf("probe: the service does not answer: %w", st.log[0].Err)
}

// defaultOrigin is the origin of a page of another site.
const defaultOrigin = "https://app.example"

// state is the state of a run.
type state struct {
	*Settings
	log exchanges
	// planOnly is set if nothing is sent, so that there are no answers to go by.
	planOnly bool
	// waitTotal is the time spent waiting for rate limits.
	waitTotal time.Duration
}

func newState(s Settings) (*state, error) {
	seen := map[string]bool{Anonymous: true}
	for _, id := range s.Identities {
		switch {
		case id.Name == "" || len(id.Header) == 0:
			return nil, errors.New("probe: an identity needs a name and credentials")
		case seen[id.Name]:
			return nil, fmt.Errorf("probe: identity %q: the name is taken", id.Name)
		}
		seen[id.Name] = true
	}
	s.Origin = cmp.Or(s.Origin, defaultOrigin)
	if s.Login != nil {
		if err := s.Login.check((&state{Settings: &s}).accounts()); err != nil {
			return nil, err
		}
	}
	s.Routes = slices.Clone(s.Routes)
	for i, r := range s.Routes {
		s.Routes[i].Write = r.Write && !slices.Contains(safe, r.method())
		s.Routes[i].Path, s.Routes[i].Pattern = s.Base+r.target(), s.Base+r.Pattern[max(strings.IndexByte(r.Pattern, '/'), 0):]
	}
	return &state{Settings: &s}, nil
}

// withDirect adds, behind each request whose answers can be compared, the same request to
// the service itself, if [Settings.Direct] says so.
func (st *state) withDirect(requests []Request) []Request {
	if !st.Direct {
		return requests
	}
	var all []Request
	for _, r := range requests {
		all = append(all, r)
		switch r.Purpose {
		case Plain, BadCredentials:
			r.Direct = true
			all = append(all, r)
		}
	}
	return all
}

// maxHops is the maximum number of redirects followed for one request.
const maxHops = 5

// retries is how many times a request is sent again that a rate limit refuses.
const retries = 3

// send sends a request, repeats it after the wait that a rate limit asks for, and follows
// redirects on the same host if their target matters.
func (st *state) send(ctx context.Context, sender Sender, r Request) Answer {
	a := sender.Send(ctx, r)
	for range retries {
		if a.Err != nil || a.Status != http.StatusTooManyRequests || r.Purpose == Burst || r.Purpose == Account || st.waitTotal >= maxWaitTotal {
			break
		}
		st.wait(ctx, a)
		a = sender.Send(ctx, r)
	}
	if r.Purpose != Plain && r.Purpose != Page && r.Purpose != Link {
		return a
	}
	first := a.Status
	var via []string
	for at := r; a.Err == nil && redirects(a.Status) && len(via) < maxHops; {
		target, ok := sameHost(at.Target, a.Header.Get("Location"), st.Host)
		if !ok {
			break
		}
		at.Target = target
		if at.Method != http.MethodHead {
			at.Method = http.MethodGet
		}
		via = append(via, target)
		a = sender.Send(ctx, at)
	}
	if via != nil {
		a.Via, a.First = via, first
	}
	return a
}

// maxWait is the longest wait for one rate limit, whatever it asks for, and
// maxWaitTotal the longest for all limits of a run.
const (
	maxWait      = 5 * time.Second
	maxWaitTotal = 30 * time.Second
)

func (st *state) wait(ctx context.Context, a Answer) {
	d := time.Second
	if s, err := time.ParseDuration(a.Header.Get("Retry-After") + "s"); err == nil {
		d = min(max(s, 0), maxWait)
	}
	st.waitTotal += d
	_ = pause.For(ctx, d) // whether ctx has ended shows at the next request
}

func redirects(status int) bool {
	switch status {
	case 301, 302, 303, 307, 308:
		return true
	}
	return false
}

// header returns a new slice with the credentials and more fields.
func header(credentials []core.Field, more ...core.Field) []core.Field {
	return slices.Concat(credentials, more)
}

func (st *state) plain(i int, as string, credentials []core.Field) Request {
	rt := st.Routes[i]
	return Request{Purpose: Plain, Method: rt.method(), Target: rt.target(), Header: credentials, As: as, Route: i}
}

// refused reports whether the plain request for a route was refused, or for a plan
// whether it might be.
func (st *state) refused(i int, as string) bool {
	if st.planOnly {
		return !st.Routes[i].Public
	}
	x, ok := st.log.first(Plain, i, as)
	return ok && x.refused()
}

// caller is a sender: [Anonymous], or an identity.
type caller struct {
	name   string
	header []core.Field
}

func (st *state) callers() []caller {
	all := []caller{{Anonymous, nil}}
	for _, id := range st.good() {
		all = append(all, caller{id.Name, id.Header})
	}
	return all
}

// callersOf returns the senders for a route. One that may end a session gets no
// credentials: afterwards their sender would be anonymous on all routes.
func (st *state) callersOf(i int) []caller {
	if st.endsSession(i) {
		return []caller{{Anonymous, nil}}
	}
	return st.callers()
}

// signOut matches a path that ends with the usual name of a sign-out endpoint.
var signOut = regexp.MustCompile(`(?i)/(log|sign)[-_]?(out|off)$`)

// endsSession reports whether a route is for signing out.
func (s *Settings) endsSession(i int) bool {
	r := s.Routes[i]
	path := strings.TrimRight(r.Pattern, "/")
	return signOut.MatchString(path) || r.method() == http.MethodDelete && strings.HasSuffix(path, "/session")
}

// requested returns the indexes of the routes that are requested.
func (s *Settings) requested() []int {
	var all []int
	for i := range s.Routes {
		if s.Sent(i) {
			all = append(all, i)
		}
	}
	return all
}
