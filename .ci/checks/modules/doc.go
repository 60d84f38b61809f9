// Package modules has tests of what the modules may require of each other.
package modules
