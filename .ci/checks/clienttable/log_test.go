package clienttable

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// exchange is a request that a site got, and what it answered.
type exchange struct {
	path        string
	credentials string
	begun       time.Time
	status      int // 0 as long as there is no answer
	answered    time.Time
}

// log keeps the exchanges of a site that a situation is about, in order.
type log struct {
	mu        sync.Mutex
	exchanges []*exchange
}

// around logs what h answers.
func (l *log) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAside(r.URL.Path) {
			h.ServeHTTP(w, r)
			return
		}
		e := &exchange{path: r.URL.Path, credentials: r.Header.Get("Authorization") + "\n" + r.Header.Get("Cookie"), begun: time.Now()}
		l.mu.Lock()
		l.exchanges = append(l.exchanges, e)
		l.mu.Unlock()
		h.ServeHTTP(&statusWriter{w, l, e}, r)
	})
}

// statusWriter logs the status before the client can know it.
type statusWriter struct {
	http.ResponseWriter
	log      *log
	exchange *exchange
}

func (w *statusWriter) WriteHeader(status int) {
	w.log.mu.Lock()
	w.exchange.status, w.exchange.answered = status, time.Now()
	w.log.mu.Unlock()
	w.ResponseWriter.WriteHeader(status)
}

// forget empties the log, before the request that a situation is about.
func (l *log) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.exchanges = nil
}

// all are the exchanges so far.
func (l *log) all() []exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	var exchanges []exchange
	for _, e := range l.exchanges {
		exchanges = append(exchanges, *e)
	}
	return exchanges
}

// statuses are the answers, in order: "401, 200".
func statuses(exchanges []exchange) string {
	var words []string
	for _, e := range exchanges {
		words = append(words, fmt.Sprint(e.status))
	}
	return strings.Join(words, ", ")
}

// next says what a client did after its first request, from what the site saw.
func next(exchanges []exchange) string {
	if len(exchanges) == 0 {
		return "does not ask"
	}
	var steps []string
	for i, e := range exchanges[1:] {
		if step := follow(exchanges[i], e); len(steps) == 0 || steps[len(steps)-1] != step {
			steps = append(steps, step)
		}
	}
	end := "stops"
	if last := exchanges[len(exchanges)-1]; last.status/100 == 2 {
		end = "done"
		if last.path == "/login" {
			end = "sign-in page"
		}
	}
	return strings.Join(append(steps, end), ", ")
}

// follow says what the client did between two requests.
func follow(before, after exchange) string {
	switch {
	case after.path != before.path:
		return "follows"
	case after.credentials != before.credentials:
		return "signs in"
	case after.begun.Sub(before.answered) >= retryAfter:
		return "waits"
	}
	return "asks again at once"
}
