package challenge

import "fmt"

// Parse parses the lines of a WWW-Authenticate or Proxy-Authenticate field strictly
// by RFC 9110 §11.2 to §11.6.1.
//
// All lines form one list, as if joined with commas (RFC 9110 §5.3), so a parameter
// at the start of a line belongs to the challenge before it, but a quoted string
// cannot continue on the next line, and lines cannot be folded. Empty list members
// are skipped, whitespace around "=" is accepted, and a duplicate parameter in a
// challenge is refused. Non-ASCII bytes in quoted strings are kept; nothing is
// percent-decoded or converted. Scheme and names keep their letter case;
// [Challenge.Param] ignores it. No scheme gets special treatment: Basic without
// realm is not an error here.
//
// If lines hold no challenge, the result is empty. Every error is a [*SyntaxError],
// even for input over [MaxBytes], [MaxChallenges] or [MaxParams]; there is no
// partial result. Time and memory are linear in the input. The result shares the
// memory of lines.
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
	// open reports whether more parameters may follow for the last challenge.
	open bool
}

// members parses the list members of one line.
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

// member parses a parameter of the open challenge or a new challenge. The two lists
// of the grammar share the comma; the "=" after a parameter's name tells them
// apart.
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

// challenge parses what follows a scheme: nothing, a token68, or the first member
// of a parameter list, which may be empty ("Basic , realm=…").
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
