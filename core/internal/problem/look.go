package problem

// The looks that a responder's answers have are numbered, from 0 on.
const (
	// NoLook is that of an answer which is made for one request alone.
	NoLook = -1
	// MaxLooks is how many looks a guard keeps: those below it.
	MaxLooks = 4
)
