package engines

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/sallyport-go/sallyport/examples/bench/policies"
)

// cedarEngine decides by Cedar policies that say the same, but for one thing:
// Cedar's wildcard also crosses slashes. Users and roles are entities.
type cedarEngine struct {
	source *Source
	loaded atomic.Pointer[cedarPolicies]
}

type cedarPolicies struct {
	policies *cedar.PolicySet
	entities types.EntityMap
}

func openCedar(s *Source) (Engine, error) {
	e := &cedarEngine{source: s}
	return e, e.Reload()
}

func (e *cedarEngine) Reload() error {
	set, err := cedar.NewPolicySetFromBytes("policy.cedar", e.source.cedar())
	if err != nil {
		return err
	}
	e.loaded.Store(&cedarPolicies{set, entities(e.source.Policy)})
	return nil
}

func (e *cedarEngine) Prepare(q policies.Question) func() (bool, error) {
	request := cedar.Request{
		Principal: types.NewEntityUID("User", types.String(q.Subject)),
		Action:    types.NewEntityUID("Action", types.String(q.Action)),
		Resource:  types.NewEntityUID("Path", types.String(q.Object)),
		Context:   types.NewRecord(types.RecordMap{"path": types.String(q.Object)}),
	}
	return func() (bool, error) {
		p := e.loaded.Load()
		d, diagnostic := cedar.Authorize(p.policies, p.entities, request)
		if len(diagnostic.Errors) > 0 {
			return false, errors.New(diagnostic.Errors[0].String())
		}
		return d == types.Allow, nil
	}
}

// entities are the role links. A role that is held is an entity of its own
// type, whether it has roles itself or not.
func entities(p *policies.Policy) types.EntityMap {
	parents := map[types.EntityUID][]types.EntityUID{}
	for _, l := range p.Links {
		who := holder(l.User)
		parents[who] = append(parents[who], types.NewEntityUID("Role", types.String(l.Role)))
	}
	all := make(types.EntityMap, len(parents))
	for who := range maps.Keys(parents) {
		all[who] = types.Entity{UID: who, Parents: types.NewEntityUIDSet(parents[who]...)}
	}
	return all
}

func holder(name string) types.EntityUID {
	if strings.HasPrefix(name, "role") {
		return types.NewEntityUID("Role", types.String(name))
	}
	return types.NewEntityUID("User", types.String(name))
}

// cedarText is the rules in Cedar's language.
func cedarText(p *policies.Policy) []byte {
	var b bytes.Buffer
	for _, r := range p.Rules {
		verb := "permit"
		if r.Effect == "deny" {
			verb = "forbid"
		}
		principal, when := fmt.Sprintf("principal in Role::%q", r.Subject), fmt.Sprintf(" when { context.path like %q }", wildcards(r.Object))
		resource := "resource"
		if p.Exact {
			principal, when = fmt.Sprintf("principal == User::%q", r.Subject), ""
			resource = fmt.Sprintf("resource == Path::%q", r.Object)
		}
		action := "action"
		if r.Action != "*" {
			action = fmt.Sprintf("action == Action::%q", r.Action)
		}
		fmt.Fprintf(&b, "%s (%s, %s, %s)%s;\n", verb, principal, action, resource, when)
	}
	return b.Bytes()
}

// wildcards puts "*" in place of each ":name" of a pattern.
func wildcards(pattern string) string {
	segments := strings.Split(pattern, "/")
	for i, s := range segments {
		if strings.HasPrefix(s, ":") {
			segments[i] = "*"
		}
	}
	return strings.Join(segments, "/")
}
