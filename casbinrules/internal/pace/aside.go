package pace

// Aside calls f on another goroutine and returns a function that waits for the result of
// f, and panics if f does. With a pace, f is called there instead, so that a load uses at
// most one processor.
func Aside[T any](p *Pace, f func() (T, error)) func() (T, error) {
	if p != nil {
		return f
	}
	var made T
	var err error
	var panicked any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		made, err = f()
	}()
	return func() (T, error) {
		if <-done; panicked != nil {
			panic(panicked)
		}
		return made, err
	}
}
