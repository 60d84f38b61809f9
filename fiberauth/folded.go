package fiberauth

import (
	"reflect"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// subApp is one mounted in an app.
type subApp struct {
	path string // as it was registered
	fold bool   // letter case does not matter to the sub-app's router
}

// subApps are those mounted in app, at any depth. Fiber tells nobody, so its own
// list is read; ok is false where Fiber has no such list any more.
func subApps(app *fiber.App) (found []subApp, ok bool) {
	fields := reflect.Indirect(reflect.ValueOf(app).Elem().FieldByName("mountFields"))
	if fields.Kind() != reflect.Struct {
		return nil, false
	}
	apps := fields.FieldByName("appList")
	if !apps.IsValid() || apps.Type() != reflect.TypeFor[map[string]*fiber.App]() {
		return nil, false
	}
	for at := apps.MapRange(); at.Next(); {
		config := at.Value().Elem().FieldByName("config")
		switch path := at.Key().String(); {
		case !config.IsValid() || config.Type() != reflect.TypeFor[fiber.Config]():
			return nil, false
		case path != "": // the app itself
			path = "/" + strings.Trim(fiber.RemoveEscapeChar(path), "/")
			found = append(found, subApp{path, !config.FieldByName("CaseSensitive").Bool()})
		}
	}
	return found, true
}

// folding knows where the texts of an app's entries are not spelled as they were
// registered: Fiber puts the prefixes of Static and of mounted sub-apps into
// lower case, unless the app they are registered in is CaseSensitive.
type folding struct {
	fold    bool // letter case does not matter to the app's router
	mounted []subApp
	unknown bool // what is mounted is not known
}

func foldingOf(app *fiber.App) *folding {
	mounted, ok := subApps(app)
	return &folding{fold: !app.Config().CaseSensitive, mounted: mounted, unknown: !ok}
}

// end is where the part of an entry's text ends that may have been registered in
// other letters; 0 for none.
func (f *folding) end(text string, static bool) (end int) {
	lower := f.fold && static || f.unknown
	for _, m := range f.mounted {
		n := len(m.path)
		if n > len(text) || !equalFold(text[:n], m.path) || m.path != "/" && n < len(text) && text[n] != '/' {
			continue
		}
		if text[:n] != m.path {
			end = max(end, n)
		}
		lower = lower || m.fold && static
	}
	if lower {
		end = len(text)
	}
	return end
}
