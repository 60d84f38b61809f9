package adapter

import (
	"fmt"
	"reflect"

	"github.com/sallyport-go/sallyport/core"
)

// CheckMount panics, with the name of the adapter's package, if a gate cannot be
// mounted: err says so, or notFound refuses the handler that the gate's guard was
// given by [core.WithConcealment].
func CheckMount[H any](pkg string, t *core.Gate, err error, notFound func(native any) (H, error)) {
	if native, ok := t.Conceals(); ok && err == nil {
		_, err = notFound(native)
	}
	if err != nil {
		panic(pkg + ": " + err.Error())
	}
}

// NotFound returns the handler given to [core.WithConcealment], or own if that is nil.
// It must be an H, or a function of the type that H is defined as; name is the name of
// H in the error, with an article.
func NotFound[H any](native any, own H, name string) (H, error) {
	switch h := native.(type) {
	case nil:
		return own, nil
	case H:
		return h, nil
	}
	if v, to := reflect.ValueOf(native), reflect.TypeFor[H](); v.Kind() == reflect.Func && v.Type().Name() == "" && v.CanConvert(to) {
		return v.Convert(to).Interface().(H), nil
	}
	return own, fmt.Errorf("concealment: %T is not %s", native, name)
}
