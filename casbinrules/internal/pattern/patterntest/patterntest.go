// Package patterntest has patterns and paths that are hard to match.
package patterntest

// Patterns are patterns for paths that an index has to tell apart.
var Patterns = []string{
	"*", "/*", "/a*", "*a", "/*/x", "/a/*", "/a/:id", "/a/:id/*", "/:x/:y", "/a.b", "/a.b/:id", "/(a|b)", "/a|/b",
	"a", "a/:id", "/a/", "/", "/a//b", ":x", "/:a:b", "/a:b", `/a\.b`, "/{x}", "/{x}/b", "/{x}/{x}", "/{x}/{y}/*", "/a{x}", "/é/:id", "/a/[:id", "/[a-b]",
	"/a/*/b", "/a/x.y/b", "/a/?b", "/a/+b", "/a/{0}b", "/a/x.y|/b", "/a/(b|1)/2", "/a/*/", "/a/b.c", "/*/b", "/:x/*/b", `/a/\?b/2`, "/a/(?i)*/B", "(?i)/A/*/b",
	"/a/*/:id", "/a/*/{x}", "/a.b/x/*", "a.b/x", "/{x}y/b", "/a/{x}y/b", "/a/*/*/b", "/a/*?/b", "/a/b:c/*/b",
	`/a/\{x\}`, `/a\{x}y/b`, `/a/\{\}/b`, `/a/\{b`, `/a/b\}`,
}

var Objects = []string{
	"/", "/a", "/a/", "/a/1", "/a/1/2", "/b", "/b/2/c", "/a.b", "/aXb", "/a.b/1", "/aXb/1", "//", "/a//b", "a", "a/1",
	"/x/x", "/x/y", "/x/y/z", "/ab", "b/a", "/a:b", "/1/2", "/a?x=1", "/a\n", "/a/1\n", "/é/1", "/a/é", "*", "/*",
	"/a/x/b", "/a/xzy/b", "/a/x/y/b", "/a/x/b/", "/a/1/B", "/A/1/b", "/a//", "/a/b/b", "/a/?b/2", "/a/b/c", "/a/b/2", "/1/2/b", "/a.b/x", "/a/b.c", "/ay/b",
	"/a/{x}", "/a{x}y/b", "/a/{}/b", "/a/{b", "/a/b}",
}
