package setup

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/casbinrules/setup/internal/decode"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/attempts"
	"github.com/sallyport-go/sallyport/core/digest"
	"github.com/sallyport-go/sallyport/core/jwtauth/dpop"
	"github.com/sallyport-go/sallyport/core/session"
)

// Types of fields in the settings of a kind, beside string, bool, int,
// [time.Duration], lists and maps of them, and structs.
type (
	// Secret comes from the environment or a file, and prints as "(hidden)".
	Secret = decode.Secret
	// File is the path of an existing file.
	File = decode.File
	// Size is a number of bytes.
	Size = decode.Size
)

// The slots of kinds.
const (
	sessionStore = "session store"
	policyStore  = "policy store"
	attemptStore = "attempt store"
	replayStore  = "replay store"
	countStore   = "count store"
	// revocationLog is the slot of logs in which instances share revocations.
	revocationLog = "revocation log"
	observer      = "observer"
	signIn        = "sign-in"
)

// kind is a registered kind.
type kind struct {
	settings reflect.Type
	// open receives a pointer to the settings.
	open func(settings any) (made any, closing func() error, err error)
}

// kinds are the registered kinds, by slot and name.
var kinds = struct {
	sync.RWMutex
	by map[string]map[string]kind
}{by: map[string]map[string]kind{}}

// elsewhereKinds are the kinds that other packages of this project register when
// they are imported, with those packages.
var elsewhereKinds = map[string]map[string]string{
	sessionStore: {
		"postgres": "github.com/sallyport-go/sallyport/casbinrules/setup/postgres",
		"redis":    "github.com/sallyport-go/sallyport/casbinrules/setup/redis",
	},
	revocationLog: {
		"postgres": "github.com/sallyport-go/sallyport/casbinrules/setup/postgres",
		"redis":    "github.com/sallyport-go/sallyport/casbinrules/setup/redis",
	},
	attemptStore: {"redis": "github.com/sallyport-go/sallyport/casbinrules/setup/redis"},
	replayStore:  {"redis": "github.com/sallyport-go/sallyport/casbinrules/setup/redis"},
	countStore:   {"redis": "github.com/sallyport-go/sallyport/casbinrules/setup/redis"},
	signIn:       {"oidc": "github.com/sallyport-go/sallyport/casbinrules/setup/oidc"},
	policyStore: {
		"postgres": "github.com/sallyport-go/sallyport/casbinrules/setup/postgres",
		"redis":    "github.com/sallyport-go/sallyport/casbinrules/setup/redis",
	},
	observer: {
		"prometheus":    "github.com/sallyport-go/sallyport/casbinrules/setup/telemetry",
		"opentelemetry": "github.com/sallyport-go/sallyport/casbinrules/setup/telemetry",
	},
}

// RegisterSessionStore registers a kind of store under its name below session.store.
// It is for packages that are imported only for this, like drivers of database/sql,
// and panics if the name is taken.
//
// T is a struct. Each field with a tag `key:"NAME"` is read from that key; the other
// tags are `doc:"a sentence"`, `required:"true"`, `default:"VALUE"` and
// `enum:"A,B"`. open receives the settings once they have been read. It must not
// wait for the store. closing, which may be nil, is called when the setup is closed.
func RegisterSessionStore[T any](name string, open func(settings *T) (store session.Store, closing func() error, err error)) {
	register(sessionStore, name, open)
}

// RegisterAttemptStore registers a kind of store under its name below
// attempts.store; otherwise it is like [RegisterSessionStore].
func RegisterAttemptStore[T any](name string, open func(settings *T) (s attempts.Store, closing func() error, err error)) {
	register(attemptStore, name, open)
}

// RegisterReplayStore registers a kind of store under its name below dpop.replays;
// otherwise it is like [RegisterSessionStore].
func RegisterReplayStore[T any](name string, open func(settings *T) (s dpop.ReplayStore, closing func() error, err error)) {
	register(replayStore, name, open)
}

// RegisterCountStore registers a kind of store under its name below digest.counts;
// otherwise it is like [RegisterSessionStore].
func RegisterCountStore[T any](name string, open func(settings *T) (s digest.CountStore, closing func() error, err error)) {
	register(countStore, name, open)
}

// RegisterObserver registers a kind of observer under its name in the list
// observers; otherwise it is like [RegisterSessionStore].
func RegisterObserver[T any](name string, open func(settings *T) (o core.Observer, closing func() error, err error)) {
	register(observer, name, open)
}

// SignIn is the sign-in at another server: endpoints that adapters mount with Serve,
// outside every gate. Package openid describes each.
type SignIn interface {
	SignInEndpoint() core.Endpoint
	CallbackEndpoint() core.Endpoint
	LogoutEndpoint() core.Endpoint
	BackChannelEndpoint() core.Endpoint
}

// openSignIn opens a sign-in for a session manager.
type openSignIn func(*session.Manager) (SignIn, func() error, error)

// RegisterSignIn registers a kind of sign-in under its name below session.sign_in;
// otherwise it is like [RegisterSessionStore]. open also receives the session
// manager of the file.
func RegisterSignIn[T any](name string, open func(settings *T, sessions *session.Manager) (s SignIn, closing func() error, err error)) {
	var bound func(*T) (openSignIn, func() error, error) // nil if open is nil
	if open != nil {
		bound = func(settings *T) (openSignIn, func() error, error) {
			return func(m *session.Manager) (SignIn, func() error, error) { return open(settings, m) }, nil, nil
		}
	}
	register(signIn, name, bound)
}

func register[T, M any](slot, name string, open func(*T) (M, func() error, error)) {
	t := reflect.TypeFor[T]()
	if open == nil || name == "" || t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("setup: register %s %q: a name, a struct for settings and a function are needed", slot, name))
	}
	decode.Describe(t) // panics if a field has an unsupported type
	kinds.Lock()
	defer kinds.Unlock()
	if kinds.by[slot] == nil {
		kinds.by[slot] = map[string]kind{}
	}
	if _, taken := kinds.by[slot][name]; taken {
		panic(fmt.Sprintf("setup: register %s %q: there is one of that name", slot, name))
	}
	kinds.by[slot][name] = kind{t, func(settings any) (any, func() error, error) { return open(settings.(*T)) }}
}

// kindsOf returns the settings types of the kinds of a slot.
func kindsOf(slot string) map[string]reflect.Type {
	kinds.RLock()
	defer kinds.RUnlock()
	all := map[string]reflect.Type{}
	for name, k := range kinds.by[slot] {
		all[name] = k.settings
	}
	return all
}

// lookupKind returns the settings type of a kind, or says how to get the kind.
func lookupKind(slot, name string) (reflect.Type, string) {
	known := kindsOf(slot)
	if t := known[name]; t != nil {
		return t, ""
	}
	if path := elsewhereKinds[slot][name]; path != "" {
		return nil, fmt.Sprintf("import _ %q in the program", path)
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(known)), maps.Keys(elsewhereKinds[slot]))
	if len(names) == 0 {
		return nil, "no package that registers one is imported"
	}
	slices.Sort(names)
	return nil, "known kinds: " + strings.Join(slices.Compact(names), ", ")
}

// openKind opens a kind. The setup closes what it returns. A method Ready of that is
// asked by Ready of the setup.
func openKind[M any](a *assembly, slot string, k *decode.Kind) (made M, err error) {
	kinds.RLock()
	known := kinds.by[slot][k.Name]
	kinds.RUnlock()
	got, closing, err := known.open(k.Settings)
	if err != nil {
		return made, a.doc.Wrap(err, k.Settings, k)
	}
	if closing != nil {
		a.closes(closing)
	}
	if r, ok := got.(interface{ Ready(context.Context) error }); ok {
		a.needs(r.Ready, k)
	}
	return got.(M), nil
}
