// Package middlewares tests gates beside the middlewares of the frameworks and of
// gin-contrib: by hand, and in apps that are made at random. It has no code of its own.
package middlewares
