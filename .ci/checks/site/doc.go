// Package site has tests of the documentation as a site: .ci/site builds it, and
// Chromium reads and searches it at the width of a phone and of a desktop.
package site
