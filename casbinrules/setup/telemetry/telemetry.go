// Package telemetry adds two kinds of observers to package setup, which measure with
// OpenTelemetry. Import it only for that:
//
//	import _ "github.com/sallyport-go/sallyport/casbinrules/setup/telemetry"
//
// A configuration file then has the kinds prometheus and opentelemetry:
//
//	observers:
//	  - prometheus: {}
//
// Both measure verdicts, the policy, key sets, and calls of issuers and stores, as
// package core/telemetry describes. prometheus has its own page, which the Handler of
// a setup serves at /metrics; opentelemetry uses the program's global providers.
package telemetry

import (
	"context"
	"errors"
	"net/http"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/sallyport-go/sallyport/casbinrules"
	"github.com/sallyport-go/sallyport/casbinrules/setup"
	"github.com/sallyport-go/sallyport/core"
	"github.com/sallyport-go/sallyport/core/session"
	"github.com/sallyport-go/sallyport/core/telemetry"
)

func init() {
	setup.RegisterObserver("prometheus", openPrometheus)
	setup.RegisterObserver("opentelemetry", openGlobal)
}

// prometheusSettings are the keys below prometheus.
type prometheusSettings struct {
	Scrapers  []netip.Prefix `key:"scrapers" doc:"networks that may read the page of metrics; only this machine by default"`
	MaxSeries int            `key:"max_series" default:"1000" doc:"how many series refusals may have, and how many routes and rules are distinguished"`
}

// globalSettings are the keys below opentelemetry.
type globalSettings struct {
	MaxSeries int `key:"max_series" default:"1000" doc:"how many series refusals may have, and how many routes and rules are distinguished"`
}

func openGlobal(s *globalSettings) (core.Observer, func() error, error) {
	t, err := telemetry.New(telemetry.WithMaxSeries(s.MaxSeries))
	if err != nil {
		return nil, nil, err
	}
	return instrument{Telemetry: t}, t.Close, nil
}

// openPrometheus uses a separate registry, so that metrics of a reloaded
// configuration do not collide with those of the previous one.
func openPrometheus(s *prometheusSettings) (core.Observer, func() error, error) {
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(exporter.WithRegisterer(registry), exporter.WithoutScopeInfo(), exporter.WithoutTargetInfo())
	if err != nil {
		return nil, nil, err
	}
	provider := metric.NewMeterProvider(metric.WithReader(reader), metric.WithCardinalityLimit(0)) // core/telemetry has limits
	t, err := telemetry.New(telemetry.WithMeterProvider(provider), telemetry.WithMaxSeries(s.MaxSeries))
	if err != nil {
		return nil, nil, errors.Join(err, provider.Shutdown(context.Background()))
	}
	page := onlyFor(s.Scrapers, promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	closing := func() error { return errors.Join(t.Close(), provider.Shutdown(context.Background())) }
	return instrument{t, page}, closing, nil
}

// thisMachine contains the default scrapers.
var thisMachine = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// onlyFor returns 404 to clients outside networks, because page names routes and
// rules.
func onlyFor(networks []netip.Prefix, page http.Handler) http.Handler {
	if len(networks) == 0 {
		networks = thisMachine
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		addr := peer.Addr().Unmap().WithZone("")
		for _, n := range networks {
			if err == nil && n.Contains(addr) {
				page.ServeHTTP(w, r)
				return
			}
		}
		http.NotFound(w, r)
	})
}

// instrument passes the parts of a setup to a Telemetry.
type instrument struct {
	*telemetry.Telemetry
	page http.Handler
}

var _ setup.Instrument = instrument{}

func (i instrument) TraceID(ctx context.Context) string { return telemetry.TraceID(ctx) }

func (i instrument) AddPolicy(name string, policy *casbinrules.Authorizer) error {
	return i.Telemetry.AddPolicy(name, func() telemetry.PolicyStatus {
		s := policy.Status()
		of := telemetry.PolicyStatus{
			Revision: s.Version.Revision, Loaded: s.Version.Loaded, Rules: s.Version.Rules + s.Version.RoleLinks, OutdatedSince: s.Since,
		}
		if !s.Source.Confirmed.IsZero() {
			of.Source = &s.Source
		}
		return of
	})
}

func (i instrument) PolicyReloaded(ctx context.Context, name string, e casbinrules.ReloadEvent) {
	i.Reloaded(ctx, name, string(e.Outcome), e.Duration)
}

func (i instrument) Store(dependency string, base session.Store) (session.Store, error) {
	return i.Telemetry.Store(dependency, base)
}

func (i instrument) Page() http.Handler { return i.page }
