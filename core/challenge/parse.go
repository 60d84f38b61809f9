package challenge

import "fmt"

// Parse reads the lines of a WWW-Authenticate or Proxy-Authenticate field to
// the letter of RFC 9110 §11.2 to §11.6.1.
//
// All lines are one list, as if joined with commas (RFC 9110 §5.3), so a
// parameter at the start of a line belongs to the challenge before it, but
// neither a quoted string nor a folded line goes over a line's end. Empty list
// members are skipped, whitespace around "=" is accepted, and a parameter that
// stands twice in one challenge is refused. Bytes outside ASCII in quoted
// strings are kept and nothing is percent-decoded or converted. Scheme and
// names keep their letter case; [Challenge.Param] finds them in any. Nothing
// is known of particular schemes: Basic without realm is no error here.
//
// Without a challenge in lines the result is empty. Every error is a
// [*SyntaxError], also for input over [MaxBytes], [MaxChallenges] or
// [MaxParams]; there is then no partial result. Time and memory are linear in
// the input. The result shares the memory of lines.
func Parse(lines ...string) ([]Challenge, error) {
	var p parser
	size := 0
	for i, line := range lines {
		p.scanner = newScanner(i+1, line)
		if size+len(line) > MaxBytes {
			return nil, p.fail(MaxBytes-size, fmt.Sprintf("field longer than %d bytes", MaxBytes))
		}
		size += len(line)
		if err := p.members(); err != nil {
			return nil, err
		}
	}
	for i := range p.challenges {
		p.challenges[i].text = p.challenges[i].render()
	}
	return p.challenges, nil
}

// parser collects the challenges of a field line by line.
type parser struct {
	scanner
	challenges []Challenge
	// open says that the last challenge may have further parameters.
	open bool
}

// members reads the list members of one line.
func (p *parser) members() error {
	for p.whitespace(); !p.done(); p.whitespace() {
		if p.at(',') {
			p.pos++
			continue
		}
		if err := p.member(); err != nil {
			return err
		}
		p.whitespace()
		if !p.done() && !p.at(',') {
			return p.fail(p.pos, "expected a comma or the end")
		}
	}
	return nil
}

// member reads a parameter of the open challenge or a new challenge. The two
// lists of the grammar share their comma; what tells them apart is the "="
// after a parameter's name.
func (p *parser) member() error {
	from := p.pos
	scheme := p.token()
	if scheme == "" {
		return p.fail(from, "expected a scheme or the name of a parameter")
	}
	after := p.pos
	p.whitespace()
	if p.at('=') {
		p.pos = from
		if !p.open {
			return p.fail(from, "a parameter without a scheme and a space before it")
		}
		return p.parameter()
	}
	p.pos = after
	return p.challenge(scheme)
}

// challenge reads what follows a scheme: nothing, a token68, or the first
// member of a parameter list, which may be empty ("Basic , realm=…").
func (p *parser) challenge(scheme string) error {
	if len(p.challenges) == MaxChallenges {
		return p.fail(p.pos-len(scheme), fmt.Sprintf("more than %d challenges", MaxChallenges))
	}
	p.challenges = append(p.challenges, Challenge{scheme: scheme})
	p.open = p.spaces()
	if !p.open || p.done() || p.at(',') {
		return nil
	}
	if p.at('\t') {
		return nil // whitespace before a comma, or members refuses it
	}
	if t := p.token68(); t != "" {
		p.last().token68 = t
		p.open = false
		return nil
	}
	return p.parameter()
}

func (p *parser) parameter() error {
	params, err := p.param(p.last().params)
	p.last().params = params
	return err
}

func (p *parser) last() *Challenge { return &p.challenges[len(p.challenges)-1] }
