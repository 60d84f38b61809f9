// Package names has tests of the exported names of all modules.
package names
