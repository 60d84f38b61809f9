package session

import (
	"context"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/core"
)

// LoginOption configures the session that [Manager.Login] starts.
type LoginOption func(*login) error

// login holds what the options set.
type login struct {
	groups   []group
	authTime *time.Time
}

type group struct {
	name  string
	final bool // it ends permanently
}

// WithAuthenticatedAt sets when the user authenticated, zero for unknown, in place
// of the principal's time or now. It is for a sign-in at another server, where the
// user may have authenticated long ago.
func WithAuthenticatedAt(at time.Time) LoginOption {
	return func(l *login) error {
		l.authTime = &at
		return nil
	}
}

// WithGroup puts the session into a group of sessions that [Manager.LogoutGroup]
// ends, such as those of one sign-in at an identity provider. The name is not
// secret and must not be empty. Each group of a session costs one more call to the
// store for each request.
func WithGroup(name string) LoginOption {
	return func(l *login) error { return l.enter(group{name: name}) }
}

// WithFinalGroup is [WithGroup] for a group that ends permanently, such as that of
// one session at an identity provider: if it has ended already, for instance
// because a logout overtook the sign-in, nobody is logged in and the error is a
// [core.CredentialError].
func WithFinalGroup(name string) LoginOption {
	return func(l *login) error { return l.enter(group{name: name, final: true}) }
}

func (l *login) enter(g group) error {
	if g.name == "" {
		return errors.New("name of the group is empty")
	}
	l.groups = append(l.groups, g)
	return nil
}

// join returns the current generations of groups, for a session that is put into
// them.
func (m *Manager) join(ctx context.Context, groups []group) (map[key]string, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	all := make(map[key]string, len(groups))
	for _, g := range groups {
		k := groupKey(g.name)
		generation, err := m.generation(ctx, k)
		if err != nil {
			return nil, err
		}
		if generation != "" && g.final {
			return nil, dead(core.ReasonRevoked)
		}
		all[k] = generation
	}
	return all, nil
}

// LogoutGroup ends all sessions that were put into a group with [WithGroup], as
// [Manager.LogoutEverywhere] does for those of a principal.
func (m *Manager) LogoutGroup(ctx context.Context, name string) error {
	if name == "" {
		return &core.InternalError{Err: errors.New("session: logout of a group: the name must not be empty")}
	}
	return m.renew(ctx, groupKey(name))
}
