package main

import (
	"slices"
	"sync"
)

// report is what the site is about.
type report struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Period  string `json:"period"`
	Author  string `json:"author"`
	State   string `json:"state"`
	Summary string `json:"summary"`
}

// member is somebody who may use the site.
type member struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

var members = []member{{"alice", "admin"}, {"victor", "viewer"}}

// The states of a report.
const draft, approved = "draft", "approved"

// reports are kept in memory. They are safe for concurrent use.
type reports struct {
	mu   sync.Mutex
	list []report
}

func newReports() *reports {
	return &reports{list: []report{
		{"5", "Energy use of the warehouses", "2026, third quarter", "facilities", approved, "Two of five warehouses used less than in the same quarter last year. The new lighting pays for itself by spring."},
		{"6", "Returns and their causes", "September 2026", "customer care", approved, "One return in three names the size. A table of measures on the product page is on its way."},
		{"7", "Delivery times by region", "October 2026", "logistics", draft, "Deliveries to the coast took a day longer than promised. The second carrier starts in November."},
		{"8", "Plan for the winter season", "Winter 2026", "sales", draft, "Stock is ordered for the first six weeks. What comes after that depends on the weather in December."},
	}}
}

func (r *reports) all() []report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

// count is how many reports there are in each state.
func (r *reports) count() map[string]int {
	n := map[string]int{draft: 0, approved: 0}
	for _, one := range r.all() {
		n[one.State]++
	}
	return n
}

func (r *reports) find(id string) (report, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.index(id)
	if i < 0 {
		return report{}, false
	}
	return r.list[i], true
}

func (r *reports) approve(id string) (report, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.index(id)
	if i < 0 {
		return report{}, false
	}
	r.list[i].State = approved
	return r.list[i], true
}

func (r *reports) index(id string) int {
	return slices.IndexFunc(r.list, func(one report) bool { return one.ID == id })
}
