package fiberauth

import (
	"errors"
	"reflect"
	"slices"
	"unsafe"

	"github.com/gofiber/fiber/v3"
)

// The following reads fields that Fiber does not export, because it exports nothing
// about what its router goes by: which routes are served, which of them are
// middleware, and whether it runs only middleware. Nothing is written.

var (
	useField      = fieldOf[fiber.Route, bool]("use")
	treeField     = fieldOf[fiber.App, []map[int][]*fiber.Route]("treeStack")
	contextField  = fieldOf[fiber.DefaultReq, *fiber.DefaultCtx]("c")
	skippingField = fieldOf[fiber.DefaultCtx, bool]("skipNonUseRoutes")
	mountsField   = fieldOf[fiber.App, any]("mountFields")
)

// field is the place of a field in a struct.
type field struct {
	name  string
	index int // -1 if there is none
}

// fieldOf finds the field of S called name, which must have type F; any stands for
// every type.
func fieldOf[S, F any](name string) field {
	f, ok := reflect.TypeFor[S]().FieldByName(name)
	if want := reflect.TypeFor[F](); !ok || len(f.Index) != 1 || want.Kind() != reflect.Interface && f.Type != want {
		return field{name, -1}
	}
	return field{name, f.Index[0]}
}

// of returns the field of what ptr points to.
func (f field) of(ptr any) reflect.Value { return reflect.ValueOf(ptr).Elem().Field(f.index) }

// init panics with an unknown version of Fiber, with which gates could not tell what
// they guard.
func init() {
	if err := checkFiber(); err != nil {
		panic("fiberauth: " + err.Error())
	}
}

// checkFiber returns an error if this version of Fiber lacks one of the fields.
func checkFiber() error {
	for _, f := range []field{useField, treeField, contextField, skippingField, mountsField} {
		if f.index < 0 {
			return errors.New("this version of Fiber has no field " + f.name + " that the gates know: update fiberauth/fiberv3")
		}
	}
	if mounted := mountsField.of(new(fiber.App)).Type(); mounted.Kind() != reflect.Pointer || mounted.Elem().Kind() != reflect.Struct {
		return errors.New("this version of Fiber does not tell what is mounted: update fiberauth/fiberv3")
	} else if list, ok := mounted.Elem().FieldByName("appList"); !ok || list.Type != reflect.TypeFor[map[string]*fiber.App]() {
		return errors.New("this version of Fiber does not list what is mounted: update fiberauth/fiberv3")
	}
	return nil
}

// routerOf returns the context that the router itself uses: c, or the one inside a
// custom context; nil if it cannot be found.
func routerOf(c fiber.Ctx) *fiber.DefaultCtx {
	if d, ok := c.(*fiber.DefaultCtx); ok {
		return d
	}
	if req, ok := c.Req().(*fiber.DefaultReq); ok && req != nil {
		return (*fiber.DefaultCtx)(contextField.of(req).UnsafePointer())
	}
	return nil
}

// unreadable reports whether Fiber runs only middleware because the server could not
// read the request. Its error handler answers then.
func unreadable(c fiber.Ctx) bool {
	d := routerOf(c)
	return d != nil && skippingField.of(d).Bool()
}

// tree returns the map in which the router looks up routes. Fiber makes a new one
// when routes change; the old one keeps its address as long as it is referenced.
func tree(app *fiber.App) unsafe.Pointer { return treeField.of(app).Index(0).UnsafePointer() }

// served returns the routes of each method that the router serves, in an order in
// which it finds them. Stack also lists those that wait for RebuildTree, and lacks
// those that were removed without it.
//
// The router has one list for each beginning of a path, and one of routes that may
// have any beginning, which are in all lists. Routes with different beginnings
// exclude each other.
func served(app *fiber.App) [][]*fiber.Route {
	trees := treeField.of(app)
	stacks := make([][]*fiber.Route, trees.Len())
	for m := range stacks {
		anywhere := routesIn(trees.Index(m).MapIndex(reflect.ValueOf(0)))
		before := make([][]*fiber.Route, len(anywhere)+1) // each of those
		for at := trees.Index(m).MapRange(); at.Next(); {
			if at.Key().Int() == 0 {
				continue
			}
			passed := 0
			for _, rt := range routesIn(at.Value()) {
				if passed < len(anywhere) && rt == anywhere[passed] {
					passed++
				} else {
					before[passed] = append(before[passed], rt)
				}
			}
		}
		for i, routes := range before {
			stacks[m] = append(stacks[m], routes...)
			if i < len(anywhere) {
				stacks[m] = append(stacks[m], anywhere[i])
			}
		}
	}
	return stacks
}

// routesIn returns the routes in a list of the router, none if there is no list.
func routesIn(list reflect.Value) (routes []*fiber.Route) {
	if !list.IsValid() {
		return nil
	}
	for i := range list.Len() {
		routes = append(routes, (*fiber.Route)(list.Index(i).UnsafePointer()))
	}
	return slices.Clip(routes)
}

// mountedIn returns the prefixes of what is mounted in app, at any depth, as they
// were registered.
func mountedIn(app *fiber.App) (prefixes []string) {
	for at := mountsField.of(app).Elem().FieldByName("appList").MapRange(); at.Next(); {
		if prefix := at.Key().String(); prefix != "" { // the app itself
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// codeOf returns the code pointer of a handler. All handlers that one function makes
// have the same one.
func codeOf(h fiber.Handler) uintptr { return reflect.ValueOf(h).Pointer() }

// identityOf distinguishes handlers with the same code: a func value is a pointer to
// its closure.
func identityOf(h fiber.Handler) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&h)) //nolint:gosec // only compared, never read through
}
