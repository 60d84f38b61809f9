package cli

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
	"github.com/sallyport-go/sallyport/casbinrules/setup"
)

// configFlag adds the flag for a configuration file; otherwise says what counts without it.
func (s *source) configFlag(cmd *cobra.Command, otherwise string) {
	cmd.Flags().StringVarP(&s.config, "config", "c", "", "configuration `file` with the policy and its options"+otherwise)
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // fails for unknown flags only
}

// defaultConfig describes [source.settle].
const defaultConfig = " (default " + configName + ", if it is there and neither -p nor -m is given)"

// settle takes the policy and its options from the file of -c. Without that flag, -m and
// -p it is the file in dir, if there is one and it has a policy.
func (s *source) settle(dir string) error {
	if s.config != "" {
		return s.fromConfig()
	}
	s.config = filepath.Join(dir, configName)
	if s.model != "" || len(s.policies) > 0 || atomicfile.NotThere(s.config) {
		s.config = ""
		return nil
	}
	err := s.fromConfig()
	if errors.Is(err, setup.ErrNoPolicy) {
		s.config, err = "", nil
	}
	return err
}

// fromConfig takes the policy and its options from the file of -c, if one was given.
func (s *source) fromConfig() error {
	if s.config == "" {
		return nil
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	s.text = string(text)
	return s.take(s.config, text)
}

// take takes the policy and its options from the text of a configuration file. Of a
// policy in a store it takes the options: the files are a copy of those in the store.
func (s *source) take(file string, text []byte) error {
	p, err := setup.ParsePolicy(file, text)
	if err != nil {
		return err
	}
	switch {
	case p.Store != "" && presets[p.Model] == nil: // the model is beside the policy
	case p.Store != "":
		s.model = cmp.Or(s.model, p.Model)
	case s.model != "":
		return command.Usagef("-c names the model by a configuration file: leave -m out")
	case len(s.policies) > 0:
		return command.Usagef("-c names the policy by a configuration file: leave -p out")
	default:
		s.model, s.given = p.Model, file
		for _, name := range p.Files {
			s.policies = append(s.policies, filepath.Clean(name))
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
