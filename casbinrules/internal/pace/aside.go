package pace

// Aside calls f on another goroutine and returns a function that waits for what
// it returns, and panics as f does. At a pace f is called there instead, so that
// a load takes one processor at most.
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
