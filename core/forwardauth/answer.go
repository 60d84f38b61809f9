package forwardauth

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/challenge"
	"github.com/sallyport-go/sallyport/core/respond"
)

// AnswerField is the header field that carries a refusal from [Service.Check]
// through nginx to [Service.Refusal].
const AnswerField = "X-Sallyport-Answer"

const (
	// maxCarried is the maximum length of the field including a body: nginx and
	// others read a header into 4 KiB unless configured otherwise.
	maxCarried = 3 << 10
	// maxAnswer is the maximum length of an unpacked answer.
	maxAnswer = 64 << 10
	// retryAfter is how long a client waits, in seconds, if there was no decision.
	retryAfter  = "5"
	unavailable = "Access cannot be checked at the moment. Try again later."
)

// carried returns a refusal in a form for nginx: a status that it passes on, and
// the answer in a field. Failures stay 5xx, which nginx turns into 500, so that an
// outage is not a refusal even if the field is not used.
func (s *Service) carried(v core.Verdict) core.Response {
	status := http.StatusForbidden
	if d := v.Denial; d != nil {
		switch own := d.Kind.Status(); {
		case own == http.StatusUnauthorized && v.Response.Status != http.StatusNotFound, own >= http.StatusInternalServerError:
			status = own
		}
	}
	packed := s.packer.pack(*v.Response)
	if len(packed) > maxCarried {
		packed = s.packer.pack(withoutBody(*v.Response))
	}
	// Depending on its version, nginx adds one or all challenges that it sees here
	// to the response of Refusal, which would then have them twice.
	return core.Response{Status: status, Fields: []core.Field{noStore, {Name: AnswerField, Value: packed}}}
}

// withoutBody returns resp without its body and the fields that describe it.
func withoutBody(resp core.Response) core.Response {
	var kept []core.Field
	for _, f := range resp.Fields {
		if !strings.HasPrefix(strings.ToLower(f.Name), "content-") {
			kept = append(kept, f)
		}
	}
	return core.Response{Status: resp.Status, Fields: kept}
}

// Refusal is a [core.Endpoint] that sends the client of nginx the refusal of
// [Service.Check] as the guard made it: status, every challenge on its own line,
// Retry-After, cookies and body. A body that takes more than 3 KiB packed is
// omitted.
//
// nginx redirects refused requests here internally with error_page, with the answer
// in [AnswerField]. If the field is missing or malformed, for instance because
// nginx could not ask, the response is 503, since there was no decision. It is
// never a success. As in Check, a peer that is not a trusted proxy gets 404.
func (s *Service) Refusal(_ context.Context, r core.Request) core.Response {
	if !s.trusts(r) {
		return nothing()
	}
	value, n := r.Header(AnswerField)
	if n == 1 {
		if resp, err := unpack(value); err == nil {
			return resp
		}
	}
	resp := respond.Problem().Respond(r, &core.Denial{Kind: core.Unavailable, Code: core.CodeUnavailable, Message: unavailable})
	resp.Fields = append(withNoStore(resp.Fields), core.Field{Name: "Retry-After", Value: retryAfter},
		core.Field{Name: "X-Robots-Tag", Value: "noindex"})
	return resp
}

// packer packs answers with reused compressors, since each has large tables.
type packer struct{ writers sync.Pool }

// pack writes an answer as status, lines "Name: value", an empty line and the
// body, compressed, in base64.
func (p *packer) pack(resp core.Response) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d\n", resp.Status)
	for _, f := range resp.Fields {
		if challenge.IsToken(f.Name) && isValue(f.Value) {
			fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
		}
	}
	b.WriteByte('\n')
	b.Write(resp.Body)
	return p.compress(b.Bytes())
}

func (p *packer) compress(text []byte) string {
	var out bytes.Buffer
	w, ok := p.writers.Get().(*flate.Writer)
	if ok {
		w.Reset(&out)
	} else {
		w, _ = flate.NewWriter(&out, flate.BestSpeed) // fails for an unknown level alone
	}
	defer p.writers.Put(w)
	_, _ = w.Write(text) // a bytes.Buffer takes everything
	_ = w.Close()
	return base64.RawURLEncoding.EncodeToString(out.Bytes())
}

// unpack reads what pack wrote. It takes refusals alone, and the answer to a
// preflight.
func unpack(value string) (resp core.Response, err error) {
	packed, err := base64.RawURLEncoding.Strict().DecodeString(value)
	if err != nil {
		return resp, err
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxAnswer+1))
	switch {
	case err != nil:
		return resp, err
	case len(text) > maxAnswer:
		return resp, fmt.Errorf("more than %d bytes", maxAnswer)
	}
	head, body, ok := strings.Cut(string(text), "\n\n")
	if !ok {
		return resp, errors.New("no end of the fields")
	}
	lines := strings.Split(head, "\n")
	resp.Status, err = strconv.Atoi(lines[0])
	if err != nil || resp.Status != http.StatusNoContent && (resp.Status < 300 || resp.Status > 599) {
		return core.Response{}, fmt.Errorf("%.16q is not the status of a refusal", lines[0])
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ": ")
		if !ok || !challenge.IsToken(name) || !isValue(value) {
			return core.Response{}, fmt.Errorf("%.64q is not a header field", line)
		}
		resp.Fields = append(resp.Fields, core.Field{Name: name, Value: value})
	}
	if body != "" {
		resp.Body = []byte(body)
	}
	return resp, nil
}

// isValue reports whether s can be the value of a field (RFC 9110 §5.5).
func isValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
