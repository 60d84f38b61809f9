// Package cors tests gates beside the CORS middleware of each framework, in
// either order. It has no code of its own.
package cors
