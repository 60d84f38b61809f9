package fiberauth

import (
	"reflect"

	"github.com/gofiber/fiber/v2"

	"github.com/sallyport-go/sallyport/fiberauth/fasthttpauth/routing"
)

// foldingOf returns where the paths of the app's routes may differ in letter case
// from what was registered. Fiber does not export what is mounted, so its unexported
// list is read.
func foldingOf(app *fiber.App) *routing.Folding {
	folding := routing.NewFolding(!app.Config().CaseSensitive)
	if !addMounted(app, folding) {
		folding.Unknown()
	}
	return folding
}

// addMounted adds the sub-apps of app, at any depth. It returns false if this version
// of Fiber has no such list.
func addMounted(app *fiber.App, to *routing.Folding) bool {
	fields := reflect.Indirect(reflect.ValueOf(app).Elem().FieldByName("mountFields"))
	if fields.Kind() != reflect.Struct {
		return false
	}
	apps := fields.FieldByName("appList")
	if !apps.IsValid() || apps.Type() != reflect.TypeFor[map[string]*fiber.App]() {
		return false
	}
	for at := apps.MapRange(); at.Next(); {
		config := at.Value().Elem().FieldByName("config")
		switch path := at.Key().String(); {
		case !config.IsValid() || config.Type() != reflect.TypeFor[fiber.Config]():
			return false
		case path != "": // the app itself
			to.Mount(path, !config.FieldByName("CaseSensitive").Bool())
		}
	}
	return true
}
