package policyfile

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/atomicfile"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/cli/command"
	"github.com/sallyport-go/sallyport/casbinrules/cmd/sallyport/internal/starter"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
)

// ConfigFlag adds the flag for a configuration file; otherwise says what counts without it.
func (s *Source) ConfigFlag(cmd *cobra.Command, otherwise string) {
	cmd.Flags().StringVarP(&s.Config, "config", "c", "", "configuration `file` with the policy and its options"+otherwise)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails for unknown flags only
}

// DefaultConfig describes [Source.Settle].
const DefaultConfig = " (default " + ConfigName + ", if it is there and neither -p nor -m is given)"

// Settle takes the policy and its options from the file of -c. Without that flag, -m and
// -p it is the file in dir, if there is one and it has a policy.
func (s *Source) Settle(dir string) error {
	if s.Config != "" {
		return s.FromConfig()
	}
	s.Config = filepath.Join(dir, ConfigName)
	if s.Model != "" || len(s.Policies) > 0 || atomicfile.NotThere(s.Config) {
		s.Config = ""
		return nil
	}
	err := s.FromConfig()
	if errors.Is(err, setup.ErrNoPolicy) {
		s.Config, err = "", nil
	}
	return err
}

// FromConfig takes the policy and its options from the file of -c, if one was given.
func (s *Source) FromConfig() error {
	if s.Config == "" {
		return nil
	}
	text, err := os.ReadFile(s.Config)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	s.Text = string(text)
	return s.Take(s.Config, text)
}

// Take takes the policy and its options from the text of a configuration file. Of a
// policy in a store it takes the options: the files are a copy of those in the store.
func (s *Source) Take(file string, text []byte) error {
	p, err := setup.ParsePolicy(file, text)
	if err != nil {
		return err
	}
	switch {
	case p.Store != "" && starter.Presets[p.Model] == nil: // the model is beside the policy
	case p.Store != "":
		s.Model = cmp.Or(s.Model, p.Model)
	case s.Model != "":
		return command.Usagef("-c names the model by a configuration file: leave -m out")
	case len(s.Policies) > 0:
		return command.Usagef("-c names the policy by a configuration file: leave -p out")
	default:
		s.Model, s.given = p.Model, file
		for _, name := range p.Files {
			s.Policies = append(s.Policies, filepath.Clean(name))
		}
	}
	s.Function, s.RolePatterns = slices.Clone(s.Function), slices.Clone(s.RolePatterns)
	s.TenantPatterns = slices.Concat(s.TenantPatterns, p.TenantPatterns)
	s.AsCasbin = s.AsCasbin || p.CasbinSemantics
	s.AllowAnonymous = s.AllowAnonymous || p.Anonymous
	s.AllowEmpty = s.AllowEmpty || p.Empty
	s.WithoutTokenRoles = s.WithoutTokenRoles || !p.TokenRoles
	s.ObjectRoute = s.ObjectRoute || p.RoutesAsObjects
	s.EncodedSlashes = s.EncodedSlashes || p.EncodedSlashes
	s.RolePrefix = cmp.Or(s.RolePrefix, p.RolePrefix)
	s.DefaultRole = cmp.Or(s.DefaultRole, p.DefaultRole)
	for _, field := range slices.Sorted(maps.Keys(p.AttributeTypes)) {
		if err := s.AddAttribute(field + "=" + p.AttributeTypes[field]); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Functions)) {
		s.Function = append(s.Function, name+"="+p.Functions[name])
	}
	for _, kind := range slices.Sorted(maps.Keys(p.RolePatterns)) {
		s.RolePatterns = append(s.RolePatterns, kind+"="+p.RolePatterns[kind])
	}
	return nil
}
