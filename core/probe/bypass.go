package probe

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// variant checks the answer to another spelling or method of a refused request.
func (j *evaluation) variant(x Exchange) {
	plain, ok := j.answerTo(Plain, x.Route, x.As)
	if !ok || x.Err != nil || x.Status >= 300 || j.freshAnswer(plain) || !j.letThrough(x) {
		return
	}
	if x.Method == http.MethodGet && plain.Method != http.MethodGet && !j.didThat(x, plain.Method) {
		return
	}
	if x.As != Anonymous && x.Purpose == Spelling && j.anotherThing(plain, x) && !j.sameThing(x) {
		return
	}
	if x.As != Anonymous && x.Method == twins[plain.Method] && j.expected(x.As, x.Method, x.Target) == Allow {
		return
	}
	code := FaultSpellingBypass
	if x.Purpose == Method {
		code = FaultMethodBypass
	}
	j.find(code, x, status(x.Answer), status(plain.Answer)+", as for "+plain.Method+" "+plain.Target,
		fmt.Sprintf("%s %s is refused with %d, and this way (%s) is let through.", plain.Method, plain.Target, plain.Status, x.Variant))
}

// letThrough reports whether a success shows what was refused, rather than the page
// that the service has for any path, or what OPTIONS may tell everyone.
func (j *evaluation) letThrough(x Exchange) bool {
	h := x.Answer.Header
	if x.Method == http.MethodOptions || strings.HasSuffix(x.Variant, http.MethodOptions) {
		if theirs, known := j.success(x.Route); known && !alike(theirs, x) {
			return false // what the service says about itself
		}
		if h.Get("Allow") != "" || h.Get("Access-Control-Allow-Methods") != "" || strings.TrimSpace(x.Body) == "" {
			return false
		}
	}
	if j.sameThing(x) {
		return true
	}
	if denial(x) || x.As == Anonymous && signInForm(x) {
		return false
	}
	return !j.fallback(x)
}

// success returns a successful answer to someone who may have a route.
func (j *evaluation) success(route int) (Exchange, bool) {
	i := slices.IndexFunc(j.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Route == route && !o.Direct && o.Err == nil && o.Status < 300 && !denial(o)
	})
	if i < 0 {
		return Exchange{}, false
	}
	return j.log[i], true
}

// didThat reports whether a GET that names another method did what that method does: its
// answer is like that to the other method, and not like that to a GET.
func (j *evaluation) didThat(x Exchange, method string) bool {
	theirs, known := j.success(x.Route)
	if !known || theirs.Method != method || theirs.Status != x.Status || theirs.Body != x.Body {
		return false
	}
	path, _, _ := strings.Cut(x.Target, "?")
	return !slices.ContainsFunc(j.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Method == http.MethodGet && o.Target == path && o.Err == nil && o.Status == x.Status && o.Body == x.Body
	})
}

// fallback reports whether a success is the page that the service has for unknown
// paths, or its first page, and not what others get for the route.
func (j *evaluation) fallback(x Exchange) bool {
	seen := slices.ContainsFunc(j.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Route == x.Route && !o.Direct && o.Err == nil && o.Status < 300
	})
	return slices.ContainsFunc(j.log, func(o Exchange) bool {
		if o.Err != nil || o.Status >= 300 || o.Method == http.MethodHead && x.Method != http.MethodHead {
			return false
		}
		same := alike(o, x)
		if x.Method == http.MethodHead {
			same = headAlike(o, x) || o.Method == http.MethodHead && sameHead(o, x)
		}
		return same && (o.Purpose == Reach && o.As == x.As && (seen || isPage(o)) || o.Purpose == Page && isPage(o))
	})
}

// anotherThing reports whether the policy allows what a spelling of a refused path
// may stand for. A router that ignores the letter case of a route keeps that of
// parameters, so the policy is asked about each mixture of the two paths.
func (j *evaluation) anotherThing(plain, x Exchange) bool {
	allowed := func(path string) bool { return j.expected(x.As, x.Method, path) == Allow }
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

// sameThing reports whether a spelling shows what the plain form shows to those who
// may see it, rather than something else that the policy allows.
func (j *evaluation) sameThing(x Exchange) bool {
	return slices.ContainsFunc(j.log, func(o Exchange) bool {
		return o.Purpose == Plain && o.Route == x.Route && o.Err == nil && o.Status < 300 && o.Body != "" && (o.Body == x.Body || x.Method == http.MethodHead && headAlike(o, x))
	})
}

func headAlike(get, head Exchange) bool {
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
