package problem

// Look numbers the looks that a responder's answers have, from 0 on.
type Look int

const (
	// NoLook is that of an answer which is made for one request alone.
	NoLook Look = -1
	// MaxLooks is how many looks a guard keeps: those below it.
	MaxLooks = 4
)

// Looks are those of a responder to requests R. Its answers to one denial in
// one look are the same, so that a guard may keep them.
type Looks[R any] struct {
	// Of is the responder itself. One that embeds it has looks of its own.
	Of any
	// Look is the look in which a request is answered.
	Look func(R) Look
}
