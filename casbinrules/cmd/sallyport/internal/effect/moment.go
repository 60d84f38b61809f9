package effect

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/ask"
)

// moment is a time at which the policies are compared.
type moment struct {
	time.Time
	// from is the future time in the format of policies; "" for now.
	from string
}

// timeResolution is the smallest difference between times of role links.
const timeResolution = time.Microsecond

// moments returns now and, if the clock can be set, each future time at which a role link
// begins or ends, as well as the instant after it: a link is in effect after its start and
// before its end, so if one link ends when another starts, neither is in effect at that
// time.
func (c *comparison) moments() []moment {
	now := time.Now().Truncate(timeResolution)
	all := []moment{{Time: now}}
	if c.clock == nil {
		return all
	}
	var times []time.Time
	for _, t := range slices.Concat(c.before.times, c.after.times) {
		if !t.Before(now) {
			times = append(times, t)
		}
	}
	slices.SortFunc(times, time.Time.Compare)
	for _, t := range slices.CompactFunc(times, time.Time.Equal) {
		from := t.Format("2006-01-02 15:04:05.999999")
		all = append(all, moment{t, from}, moment{t.Add(timeResolution), from})
	}
	return all
}

// readTimes finds the times at which role links begin or end. A name without the role
// prefix may differ from a role name by the prefix only, which the roles of the subject do
// not show.
func (p *policy) readTimes(prefix string) {
	p.roleTimes = p.matcher.OwnRoles
	for _, r := range p.rules {
		if r.Kind == "p" {
			continue
		}
		p.roleTimes = p.roleTimes && (r.Kind != "g" || strings.HasPrefix(r.Fields[1], prefix))
		for _, field := range r.Fields[min(2, len(r.Fields)):] {
			if t, err := time.Parse(time.DateTime, field); err == nil {
				p.times = append(p.times, t.Truncate(timeResolution))
				p.roleTimes = p.roleTimes && r.Kind == "g"
			}
		}
	}
}

// setMoment sets the policies' clock to a moment, and reads the roles of every subject then.
func (c *comparison) setMoment(ctx context.Context, m moment) error {
	c.moment = m
	if c.clock != nil {
		c.clock.Set(&m.Time)
	}
	return c.readRoles(ctx)
}

// state returns a key that is equal for moments at which decisions about a subject are the
// same. If times only affect roles, that is the case when the roles are the same.
func (c *comparison) state(subject int) string {
	if c.clock == nil {
		return ""
	}
	if !c.before.roleTimes || !c.after.roleTimes || c.space.subjects[subject].Question("", "").Subject == ask.Anonymous {
		return c.moment.String()
	}
	return fmt.Sprintf("%q %q", c.roles[false][subject], c.roles[true][subject])
}

// plan finds the questions to ask at all moments.
func (c *comparison) plan(ctx context.Context, moments []moment, limit int) error {
	c.size = (len(moments) - 1) * len(c.space.subjects)
	if c.size > limit {
		return nil
	}
	c.planned = make([]map[string][]int32, len(c.space.subjects))
	for _, m := range moments {
		if err := c.setMoment(ctx, m); err != nil {
			return err
		}
		differing := c.differences(ctx)
		for i := range c.space.subjects {
			state := c.state(i)
			if _, known := c.planned[i][state]; known {
				continue
			}
			questions, err := differing(i)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			if c.planned[i] == nil {
				c.planned[i] = map[string][]int32{}
			}
			if c.size += len(questions); c.size > limit {
				questions = nil
			}
			c.planned[i][state] = questions
		}
		if c.size > limit {
			break
		}
	}
	return nil
}
