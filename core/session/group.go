package session

import (
	"context"
	"errors"

	"github.com/sallyport-go/sallyport/core"
)

// LoginOption says more about the session that [Manager.Login] begins.
type LoginOption func(*login) error

// login is what the options set.
type login struct{ groups []string }

// WithGroup puts the session into a group of sessions that [Manager.LogoutGroup]
// ends, such as those of one sign-in at an identity provider. The name is secret
// to nobody and must not be empty. Each group of a session is one more question
// to the store at each request.
func WithGroup(name string) LoginOption {
	return func(l *login) error {
		if name == "" {
			return errors.New("name of the group is empty")
		}
		l.groups = append(l.groups, name)
		return nil
	}
}

// join is the generations of groups now, for a session that is put into them.
func (m *Manager) join(ctx context.Context, groups []string) (map[key]string, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	all := make(map[key]string, len(groups))
	for _, name := range groups {
		k := groupKey(name)
		generation, err := m.generation(ctx, k)
		if err != nil {
			return nil, err
		}
		all[k] = generation
	}
	return all, nil
}

// LogoutGroup ends all sessions that were put into a group with [WithGroup], as
// [Manager.LogoutEverywhere] does with those of a principal.
func (m *Manager) LogoutGroup(ctx context.Context, name string) error {
	if name == "" {
		return &core.InternalError{Err: errors.New("session: logout of a group without a name")}
	}
	return m.renew(ctx, groupKey(name))
}
