package fiberauth

import (
	"maps"
	"reflect"
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/gofiber/fiber/v2"
)

// slot holds the resolver of one app. A resolver leads back to its app, so the
// app itself has to hold the slot for both to be collected together.
type slot struct {
	app     *fiber.App
	current atomic.Pointer[resolver]
}

// slots finds an app's slot by the app's address. Lookups take no lock, so the
// map is replaced, never changed.
var slots struct {
	mu    sync.Mutex // held by who replaces the map
	byApp atomic.Pointer[map[uintptr]weak.Pointer[slot]]
}

// resolverFor is the app's resolver, built anew when routes have been added.
func resolverFor(app *fiber.App) *resolver {
	s := slotFor(app)
	if r := s.current.Load(); r != nil && r.handlers == app.HandlersCount() {
		return r
	}
	r := newResolver(app)
	s.current.Store(r)
	return r
}

func slotFor(app *fiber.App) *slot {
	if s := findSlot(app); s != nil {
		return s
	}
	slots.mu.Lock()
	defer slots.mu.Unlock()
	if s := findSlot(app); s != nil {
		return s
	}
	s := &slot{app: app}
	key, held := address(app), weak.Make(s)
	replaceSlots(func(m map[uintptr]weak.Pointer[slot]) { m[key] = held })
	runtime.AddCleanup(app, func(old weak.Pointer[slot]) {
		slots.mu.Lock()
		defer slots.mu.Unlock()
		if (*slots.byApp.Load())[key] == old { // and not of a later app at this address
			replaceSlots(func(m map[uintptr]weak.Pointer[slot]) { delete(m, key) })
		}
	}, held)
	// A hook is the one place where an app takes what it does not know. This one
	// is called only in the parent of preforked processes, which serves nothing.
	// Adding it takes a lock that a shutdown holds while it waits for requests,
	// so no request may wait for it.
	go app.Hooks().OnFork(func(int) error {
		runtime.KeepAlive(s)
		return nil
	})
	return s
}

func findSlot(app *fiber.App) *slot {
	if m := slots.byApp.Load(); m != nil {
		if s := (*m)[address(app)].Value(); s != nil && s.app == app {
			return s
		}
	}
	return nil
}

func address(app *fiber.App) uintptr { return reflect.ValueOf(app).Pointer() }

func replaceSlots(change func(map[uintptr]weak.Pointer[slot])) {
	next := make(map[uintptr]weak.Pointer[slot])
	if m := slots.byApp.Load(); m != nil {
		maps.Copy(next, *m)
	}
	change(next)
	slots.byApp.Store(&next)
}
