package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// variant checks the answer to another spelling or method of a refused request.
func (e *evaluation) variant(x Exchange) {
	plain, ok := e.log.first(Plain, x.Route, x.As)
	if !ok || x.Err != nil || x.Status >= 300 || e.freshAnswer(plain) || !e.bypasses(x) {
		return
	}
	if x.Method == http.MethodGet && plain.Method != http.MethodGet && !e.overrideWorked(x, plain.Method) {
		return
	}
	if x.As != Anonymous && x.Purpose == Spelling && e.mayStandForAllowed(plain, x) && !e.showsProtected(x) {
		return
	}
	if x.As != Anonymous && x.Method == twins[plain.Method] && e.expected(x.As, x.Method, x.Target) == Allow {
		return
	}
	code := FaultSpellingBypass
	if x.Purpose == Method {
		code = FaultMethodBypass
	}
	e.find(code, x, status(x.Answer), status(plain.Answer)+", as for "+plain.Method+" "+plain.Target,
		fmt.Sprintf("%s %s is refused with %d, but this variant is let through: %s.", plain.Method, plain.Target, plain.Status, x.Variant))
}

// bypasses reports whether a success shows what was refused, rather than the page that the
// service has for any path, or what OPTIONS may tell anyone.
func (e *evaluation) bypasses(x Exchange) bool {
	h := x.Answer.Header
	if x.Method == http.MethodOptions || strings.HasSuffix(x.Variant, http.MethodOptions) {
		if theirs, known := e.successfulAnswer(x.Route); known && !samePage(theirs, x) {
			return false // capabilities, not the resource
		}
		if h.Get("Allow") != "" || h.Get("Access-Control-Allow-Methods") != "" || strings.TrimSpace(x.Body) == "" {
			return false
		}
	}
	if e.showsProtected(x) {
		return true
	}
	if denial(x) || x.As == Anonymous && signInForm(x) {
		return false
	}
	return !e.catchAllPage(x)
}

// successfulAnswer returns the answer to a sender whom the service allows a route.
func (e *evaluation) successfulAnswer(route int) (Exchange, bool) {
	i := slices.IndexFunc(e.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Route == route && !o.Direct && o.Err == nil && o.Status < 300 && !denial(o)
	})
	if i < 0 {
		return Exchange{}, false
	}
	return e.log[i], true
}

// overrideWorked reports whether a GET that names another method was handled as that
// method: it gets the answer of that method, and not that of a GET.
func (e *evaluation) overrideWorked(x Exchange, method string) bool {
	theirs, known := e.successfulAnswer(x.Route)
	if !known || theirs.Method != method || theirs.Status != x.Status || theirs.Body != x.Body {
		return false
	}
	path, _, _ := strings.Cut(x.Target, "?")
	return !slices.ContainsFunc(e.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Method == http.MethodGet && o.Target == path && o.Err == nil && o.Status == x.Status && o.Body == x.Body
	})
}

// catchAllPage reports whether a success is the page that the service has for unknown
// paths, or its home page, and not what others get for the route.
func (e *evaluation) catchAllPage(x Exchange) bool {
	seen := slices.ContainsFunc(e.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Route == x.Route && !o.Direct && o.Err == nil && o.Status < 300
	})
	return slices.ContainsFunc(e.log, func(o Exchange) bool {
		if o.Err != nil || o.Status >= 300 || o.Method == http.MethodHead && x.Method != http.MethodHead {
			return false
		}
		same := samePage(o, x)
		if x.Method == http.MethodHead {
			same = sameLength(o, x) || o.Method == http.MethodHead && sameHead(o, x)
		}
		return same && (o.Purpose == Reach && o.As == x.As && (seen || isPage(o)) || o.Purpose == Page && isPage(o))
	})
}

// mayStandForAllowed reports whether the policy allows a path that a spelling of a refused
// one may stand for. A router that ignores the letter case of a route keeps that of
// parameters, so each mixture of the two paths is looked up in the policy.
func (e *evaluation) mayStandForAllowed(plain, x Exchange) bool {
	allowed := func(path string) bool { return e.expected(x.As, x.Method, path) == Allow }
	if allowed(x.Target) {
		return true
	}
	a, b := strings.Split(plain.Target, "/"), strings.Split(x.Target, "/")
	if len(a) != len(b) || len(a) > maxMixed {
		return false
	}
	for mask := range 1 << len(a) {
		mixed := slices.Clone(a)
		for i := range b {
			if mask&(1<<i) != 0 {
				mixed[i] = b[i]
			}
		}
		if allowed(strings.Join(mixed, "/")) {
			return true
		}
	}
	return false
}

// maxMixed is the maximum number of segments of a path that is mixed with another,
// including the empty one in front.
const maxMixed = 8

// showsProtected reports whether a variant gets what the plain request gets for senders
// with access, rather than something else that the policy allows.
func (e *evaluation) showsProtected(x Exchange) bool {
	return slices.ContainsFunc(e.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Route == x.Route && o.Err == nil && o.Status < 300 && o.Body != "" && (o.Body == x.Body || x.Method == http.MethodHead && sameLength(o, x))
	})
}

// sameLength reports whether the answer to HEAD has the length of the body of that to GET.
func sameLength(get, head Exchange) bool {
	return head.Answer.Header.Get("Content-Length") != "" && head.Answer.Header.Get("Content-Length") == strconv.Itoa(len(get.Body))
}

// sameHead reports whether two answers to HEAD describe the same type and length of body.
func sameHead(a, b Exchange) bool {
	for _, name := range []string{"Content-Type", "Content-Length"} {
		if a.Answer.Header.Get(name) != b.Answer.Header.Get(name) {
			return false
		}
	}
	return true
}
