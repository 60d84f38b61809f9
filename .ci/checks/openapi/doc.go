// Package openapi has what "sallyport openapi" writes validated by the parser
// that most tools in JavaScript read OpenAPI with.
package openapi
