// Package middlewares tests gates beside the middlewares of gin-contrib, in
// either order. It has no code of its own.
package middlewares
