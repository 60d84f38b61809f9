package digest

import (
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/linefile"
)

// advice says how to make a line.
const advice = "digest.HashA1, or with openssl as docs/digest.md shows"

// table is the content of a password file. It is immutable.
type table struct {
	users  map[key]Entry // by name
	hashes map[key]Entry // by HashUser
}

// key finds the hash of one algorithm.
type key struct {
	algorithm Algorithm
	user      string
}

// reader builds a table.
type reader struct {
	realm      string
	md5        bool
	table      *table
	lines      map[key]int // where a key first occurred
	principals map[string]*core.Principal
}

func parseTable(name, text, realm string, md5 bool) (*table, error) {
	r := &reader{
		realm: realm, md5: md5,
		table:      &table{users: map[key]Entry{}, hashes: map[key]Entry{}},
		lines:      map[key]int{},
		principals: map[string]*core.Principal{},
	}
	file := linefile.New(name)
	file.Each(text, func(n int, line string) {
		if problem := r.parseLine(n, line); problem != "" {
			file.Report(n, "%s", problem)
		}
	})
	if err := file.Err(); err != nil {
		return nil, err
	}
	if len(r.table.users) == 0 {
		return nil, fmt.Errorf("%s: no user in the file: make a line with %s", name, advice)
	}
	return r.table, nil
}

// parseLine parses one line, or returns what is wrong with it. A line without a
// colon may be anything, even a password, so it is not quoted.
func (r *reader) parseLine(n int, line string) (problem string) {
	user, rest, found := strings.Cut(line, ":")
	if !found {
		return "no colon: a line is user:realm:hash, made with " + advice
	}
	if err := challenge.CheckUser(user); err != nil {
		return err.Error()
	}
	// The realm may contain colons, so the line is not split at one: the known
	// realm is expected.
	hash, ours := strings.CutPrefix(rest, r.realm+":")
	if !ours {
		return fmt.Sprintf("user %q: the line is not for realm %q: put other realms in files of their own", user, r.realm)
	}
	hash, algorithm, problem := r.checkHash(hash)
	if problem != "" {
		return fmt.Sprintf("user %q: %s", user, problem)
	}
	k := key{algorithm, user}
	if first, twice := r.lines[k]; twice {
		return fmt.Sprintf("user %q has a hash of %s on line %d: remove one of the two", user, algorithm, first)
	}
	p, err := r.principal(user)
	if err != nil {
		return err.Error()
	}
	r.lines[k] = n
	e := Entry{Principal: p, A1: strings.Clone(hash)} // a substring would keep the whole text in memory
	r.table.users[key{algorithm, p.ID()}] = e
	r.table.hashes[key{algorithm, HashUser(algorithm, user, r.realm)}] = e
	return ""
}

// principal returns the principal of user, the same one for all its lines.
func (r *reader) principal(user string) (*core.Principal, error) {
	if p := r.principals[user]; p != nil {
		return p, nil
	}
	p, err := core.NewPrincipal(core.PrincipalInfo{ID: strings.Clone(user), Scheme: scheme})
	if err == nil {
		r.principals[p.ID()] = p
	}
	return p, err
}

// checkHash splits hash[:algorithm], or returns what is wrong with it.
func (r *reader) checkHash(field string) (hash string, a Algorithm, problem string) {
	hash, name, named := strings.Cut(field, ":")
	a = Algorithm(name)
	switch {
	case !named && len(hash) == SHA256.hexLen():
		a = SHA256
	case !named && len(hash) == MD5.hexLen():
		a = MD5
	case !named:
		return "", "", fmt.Sprintf("hash of %d digits: SHA-256 has %d, MD5 has %d", len(hash), SHA256.hexLen(), MD5.hexLen())
	case a.hexLen() == 0:
		return "", "", "the fourth field is not an algorithm: use SHA-256, SHA-512-256 or MD5"
	}
	if !isHex(hash, a.hexLen()) {
		return "", "", fmt.Sprintf("a hash of %s is %d lower-case hex digits", a, a.hexLen())
	}
	if a == MD5 && !r.md5 {
		return "", "", "a hash of MD5 can be guessed at great speed: make the line with SHA-256, or give WithMD5 to the file and WithMoreAlgorithms(MD5) to New (more_algorithms: MD5)"
	}
	return hash, a, ""
}
