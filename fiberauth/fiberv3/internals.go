package fiberauth

import (
	"errors"
	"reflect"
	"slices"
	"unsafe"

	"github.com/gofiber/fiber/v3"
)

// What follows reads fields that Fiber does not export, as it tells nobody what
// its router goes by: which routes are being served, which of them are middleware,
// and whether it runs middleware alone. Nothing is written.

var (
	useField      = fieldOf[fiber.Route, bool]("use")
	treeField     = fieldOf[fiber.App, []map[int][]*fiber.Route]("treeStack")
	contextField  = fieldOf[fiber.DefaultReq, *fiber.DefaultCtx]("c")
	skippingField = fieldOf[fiber.DefaultCtx, bool]("skipNonUseRoutes")
	mountsField   = fieldOf[fiber.App, any]("mountFields")
)

// field is where a struct has a field.
type field struct {
	name  string
	index int // -1 for nowhere
}

// fieldOf finds the field of S called name, which has the type F, or any for
// whatever.
func fieldOf[S, F any](name string) field {
	f, ok := reflect.TypeFor[S]().FieldByName(name)
	if want := reflect.TypeFor[F](); !ok || len(f.Index) != 1 || want.Kind() != reflect.Interface && f.Type != want {
		return field{name, -1}
	}
	return field{name, f.Index[0]}
}

// of is the field of what ptr points to.
func (f field) of(ptr any) reflect.Value { return reflect.ValueOf(ptr).Elem().Field(f.index) }

// init ends the program at its start with a version of Fiber that is not known: no
// gate could tell what it guards.
func init() {
	if err := checkFiber(); err != nil {
		panic("fiberauth: " + err.Error())
	}
}

// checkFiber reports whether this version of Fiber has what is read.
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

// routerOf is the context that the router itself goes by: c, or what a custom
// context has inside. It is nil where that cannot be found.
func routerOf(c fiber.Ctx) *fiber.DefaultCtx {
	if d, ok := c.(*fiber.DefaultCtx); ok {
		return d
	}
	if req, ok := c.Req().(*fiber.DefaultReq); ok && req != nil {
		return (*fiber.DefaultCtx)(contextField.of(req).UnsafePointer())
	}
	return nil
}

// unreadable reports whether Fiber runs middleware alone, for a request that the
// server has not been able to read: its error handler answers.
func unreadable(c fiber.Ctx) bool {
	d := routerOf(c)
	return d != nil && skippingField.of(d).Bool()
}

// tree is what the router looks routes up in. It is made anew when routes change,
// and an old one stays where it is as long as it is referred to.
func tree(app *fiber.App) unsafe.Pointer { return treeField.of(app).Index(0).UnsafePointer() }

// served are the routes of each method that the router serves, in an order in
// which it finds them. Stack lists also those that wait for RebuildTree, and not
// those that have been removed without it.
//
// The router has a list for each beginning of a path, and one of those that may
// have any beginning, which are in all lists. Routes of different beginnings
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

// routesIn are those of a list of the router's, none of no list.
func routesIn(list reflect.Value) (routes []*fiber.Route) {
	if !list.IsValid() {
		return nil
	}
	for i := range list.Len() {
		routes = append(routes, (*fiber.Route)(list.Index(i).UnsafePointer()))
	}
	return slices.Clip(routes)
}

// mountedIn are the prefixes of what is mounted in app, at any depth, as they were
// registered.
func mountedIn(app *fiber.App) (prefixes []string) {
	for at := mountsField.of(app).Elem().FieldByName("appList").MapRange(); at.Next(); {
		if prefix := at.Key().String(); prefix != "" { // the app itself
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// codeOf is the code of a handler, which all that one function makes have.
func codeOf(h fiber.Handler) uintptr { return reflect.ValueOf(h).Pointer() }

// identityOf tells a handler from others of the same code: a func value is a pointer
// to what it has closed over.
func identityOf(h fiber.Handler) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&h)) //nolint:gosec // only compared, never read through
}
