package fasthttpauth

import (
	"maps"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"
)

// Apps holds a value for each app of a framework, for as long as the app exists. It
// is safe for concurrent use, and lookups take no lock.
type Apps[A, R any] struct {
	hold func(app *A, keep func())
	mu   sync.Mutex // held while the map is replaced
	// byApp finds a slot by the app's address. The map is replaced, never changed.
	byApp atomic.Pointer[map[uintptr]weak.Pointer[Slot[A, R]]]
}

// Slot holds the value for one app. The value refers back to its app, so the app
// itself must hold the slot for both to be collected together.
type Slot[A, R any] struct {
	atomic.Pointer[R]
	app *A
}

// NewApps returns an empty Apps. hold is called once for each app, in its own
// goroutine, and makes the app hold keep, a function that need not be called.
func NewApps[A, R any](hold func(app *A, keep func())) *Apps[A, R] { return &Apps[A, R]{hold: hold} }

// Slot returns the slot for app.
func (a *Apps[A, R]) Slot(app *A) *Slot[A, R] {
	if s := a.find(app); s != nil {
		return s
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if s := a.find(app); s != nil {
		return s
	}
	s := &Slot[A, R]{app: app}
	key, held := address(app), weak.Make(s)
	a.replace(func(m map[uintptr]weak.Pointer[Slot[A, R]]) { m[key] = held })
	runtime.AddCleanup(app, func(old weak.Pointer[Slot[A, R]]) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if (*a.byApp.Load())[key] == old { // and not of a later app at this address
			a.replace(func(m map[uintptr]weak.Pointer[Slot[A, R]]) { delete(m, key) })
		}
	}, held)
	go a.hold(app, func() { runtime.KeepAlive(s) })
	return s
}

func (a *Apps[A, R]) find(app *A) *Slot[A, R] {
	if m := a.byApp.Load(); m != nil {
		if s := (*m)[address(app)].Value(); s != nil && s.app == app {
			return s
		}
	}
	return nil
}

func address[A any](app *A) uintptr { return reflect.ValueOf(app).Pointer() }

func (a *Apps[A, R]) replace(change func(map[uintptr]weak.Pointer[Slot[A, R]])) {
	next := make(map[uintptr]weak.Pointer[Slot[A, R]])
	if m := a.byApp.Load(); m != nil {
		maps.Copy(next, *m)
	}
	change(next)
	a.byApp.Store(&next)
}
